//! What `keepwarm check` finds in the world: files, certificates, commands, and who may reach what.

use std::os::unix::fs::PermissionsExt;

use keepwarm::config::{self, Problems};

use super::{CANARIES, message, valid};

#[test]
fn check_looks_at_the_world() {
    let text = "serve.listen = \"0.0.0.0:8025\"\n".to_owned()
        + &CANARIES
            .replace("password = \"canary-1\"", "password_file = \"ann\"\nca_file = \"ca.pem\"")
            .replace("/bin/echo", "/nonexistent/pass")
            .replace("serve.token = \"canary-9-canary-9\"", "serve.token_file = \"crm\"")
            .replace("client_secret = \"canary-7\"", "client_secret_file = \"ann\"")
            .replace("refresh_token = \"canary-8\"", "refresh_token_file = \"none\"")
            .replace(
                "secret = \"whsec_Y2FuYXJ5LTUtY2FuYXJ5LTUtY2FuYXJ5LTUt\"",
                "secret_file = \"crm\"",
            )
        + "[[source]]\nname = \"archive\"\nrep = \"ann\"\nkind = \"maildir\"\npath = \"none\"\n";
    let files =
        [("keepwarm.toml", text.as_str()), ("ann", "pw\n"), ("crm", "pw\n"), ("ca.pem", "x")];
    let (directory, config) = valid(&files, &[]);
    std::fs::set_permissions(directory.path().join("ann"), PermissionsExt::from_mode(0o644))
        .unwrap();
    std::fs::set_permissions(directory.path().join("crm"), PermissionsExt::from_mode(0o600))
        .unwrap();
    let problems = Problems(config::check(&config));
    let says = message(directory.path(), &problems);
    assert_eq!(says, WORLD, "{says}");
}

#[test]
fn check_doubts_links_and_an_api_that_lead_nowhere_or_cross_the_network_readable() {
    let nowhere = ["links lead nowhere", "there is no API"];
    let readable = "without https, whoever is on the way can answer nudges";
    for (lines, says) in [
        ("public_url = \"https://kw.us.example/x\"", &[] as &[&str]),
        ("public_url = \"http://127.0.0.1:8025\"", &[]),
        ("public_url = \"http://kw.us.example\"", &[readable]),
        ("listen = \"off\"", &[]),
        (
            "listen = \"off\"\npublic_url = \"https://kw.us.example\"\ntoken_file = \"api\"",
            &nowhere,
        ),
    ] {
        let text = format!("[serve]\n{lines}\n");
        let files = [("keepwarm.toml", text.as_str()), ("api", "0123456789abcdef\n")];
        let (_directory, config) = valid(&files, &[]);
        let problems = config::check(&config);
        let of_serve: Vec<String> = problems
            .iter()
            .map(ToString::to_string)
            .filter(|problem| problem.contains("`serve."))
            .collect();
        assert_eq!(of_serve.len(), says.len(), "{lines}: {of_serve:?}");
        for (problem, words) in of_serve.iter().zip(says) {
            assert!(problem.starts_with("warning: ") && problem.contains(words), "{problem}");
        }
    }
}

#[test]
fn a_password_in_a_file_that_all_can_read_is_a_warning() {
    for (mode, warned) in [(0o644, true), (0o640, false)] {
        let (directory, config) = valid(&[("keepwarm.toml", CANARIES)], &[]);
        let path = directory.path().join("keepwarm.toml");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        let says = Problems(config::check(&config)).to_string();
        assert_eq!(says.contains("every user can read"), warned, "mode {mode:o}: {says}");
    }
}

/// What [`check_looks_at_the_world`] is told.
const WORLD: &str = r"warning: organization.domains is empty: colleagues are taken for contacts

warning: every user can read /etc/keepwarm/ann (mode 644)
  --> [[source]] mail
hint: chmod o= /etc/keepwarm/ann

error: `source.ca_file`: /etc/keepwarm/ca.pem: no certificate (PEM) in it
  --> [[source]] mail

error: `password`: starting /nonexistent/pass: No such file or directory (os error 2)
  --> [[source]] other
hint: run it by hand as the user keepwarm

warning: every user can read /etc/keepwarm/ann (mode 644)
  --> [[source]] third
hint: chmod o= /etc/keepwarm/ann

error: `oauth.refresh_token`: reading /etc/keepwarm/none: No such file or directory (os error 2)
  --> [[source]] third
hint: the user keepwarm must be able to read it

warning: `source.path`: there is no directory /etc/keepwarm/none
  --> [[source]] archive

error: `secret` must be `whsec_` and the base64 of 24 to 64 bytes, or `whsk_` and that of an ed25519 key (32 or 64)
  --> [[endpoint]] crm

error: `token` must be 16 or more characters of ASCII without blanks
  --> serve

warning: `serve.listen`: other machines can reach 0.0.0.0:8025, and there is no login
  --> serve
";
