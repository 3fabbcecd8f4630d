//! Calendars of Google, from a server scripted after its public documentation.

use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;

use crate::support::process::Place;
use crate::support::script::Scripted;
use crate::support::story::{interactions, play};

/// The parameters of every list; nothing of what an event is about is asked for.
const LIST: &str = "singleEvents=false&showDeleted=true&maxResults=1000&fields=nextPageToken,\
    nextSyncToken,items(id,status,iCalUID,recurringEventId,originalStartTime,start,end,recurrence,\
    sequence,transparency,visibility,eventType,organizer(email,displayName),attendees(email,\
    displayName,resource,responseStatus),attendeesOmitted)";

/// A service account's key, as Google gives it in a file.
pub(crate) fn key_file(path: &Path) -> RsaKeyPair {
    let made = Command::new("openssl")
        .args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
        .output()
        .unwrap();
    let pem = String::from_utf8(made.stdout).unwrap();
    let json = serde_json::json!({
        "type": "service_account", "project_id": "kw", "private_key_id": "canary-kid",
        "private_key": pem, "client_email": "kw@project.iam.gserviceaccount.example",
        "client_id": "1", "token_uri": "https://oauth2.googleapis.com/token",
    });
    std::fs::write(path, json.to_string()).unwrap();
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).unwrap();
    RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap()
}

fn place(server: &Scripted, keys: &str) -> (Place, RsaKeyPair) {
    let place = Place::new();
    let key = key_file(&place.path("service.json"));
    let base = server.base();
    let place = place.with(&format!(
        "[[source]]\nname = \"ann-calendar\"\nrep = \"ann\"\nkind = \"google_calendar\"\n\
         api_url = \"{base}/calendar/v3\"\n{keys}\n[source.oauth]\ngrant = \"service_account\"\n\
         token_url = \"{base}/token?canary-query\"\nkey_file = \"service.json\"\n\
         subject = \"ann@us.example\""
    ));
    (place, key)
}

#[test]
fn a_calendar_of_google_is_followed_through_its_changes() {
    let server = Scripted::start();
    let (place, _) = place(&server, "");
    let story = include_str!("google/story.txt").replace("{list}", LIST);
    // Page tokens and sync tokens are no secrets: the latter are the cursor.
    let story = story.replace("canary-sync", "sync").replace("canary-page", "page");
    play(&place, &server, &story, &["canary"]);
    assert_eq!(interactions(&place), 0, "what was taken back took its interactions along");
}

/// RFC 7523 and RFC 7519: what Google verifies.
#[test]
fn a_service_account_signs_for_whom_it_acts() {
    let server = Scripted::start();
    let (place, key) = place(&server, "");
    server.expect("> POST /token?canary-query\n< 400\n{\"error\": \"invalid_grant\"}");
    let ran = place.keepwarm(&["run", "--once"]);
    assert!(ran.stderr.contains("hint: check subject"), "{}", ran.stderr);
    server.assert_done("one exchange");
    let form = server.forms().remove(0);
    let jwt = &form["assertion"];
    let (said, signature) = jwt.rsplit_once('.').unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref());
    public.verify(said.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let parts: Vec<serde_json::Value> = said
        .split('.')
        .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
        .collect();
    assert_eq!(parts[0], serde_json::json!({"alg": "RS256", "typ": "JWT", "kid": "canary-kid"}));
    let claims = &parts[1];
    assert_eq!(claims["iss"], "kw@project.iam.gserviceaccount.example");
    assert_eq!(claims["sub"], "ann@us.example");
    assert_eq!(claims["scope"], "https://www.googleapis.com/auth/calendar.events.readonly");
    assert_eq!(claims["aud"], format!("{}/token?canary-query", server.base()));
    let (from, to) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
    let now = keepwarm::clock::Clock::System.now().seconds();
    assert!((now - 60..=now).contains(&from) && to == from + 3600, "{claims}");
}

/// A calendar that is not shared keeps no other one from being read, and is told of.
#[test]
fn a_calendar_that_is_not_there_keeps_no_other_from_being_read() {
    let server = Scripted::start();
    let (place, _) = place(&server, "calendars = [\"gone/1\", \"primary\"]");
    server.expect(
        &format!(
            "> POST /token?canary-query\n< 200\n{{\"access_token\": \"canary\"}}\n\
         > GET /calendars/gone%2F1/events?{LIST}\n< 404\n{{\"error\": {{\"errors\": [{{\"reason\": \
         \"notFound\"}}]}}}}\n> GET /calendars/primary/events?{LIST}\n< 200\n\
         {{\"nextSyncToken\": \"t\"}}"
        )
        .replace("/calendars", "/calendar/v3/calendars"),
    );
    let ran = place.keepwarm(&["run", "--once"]);
    server.assert_done("both are asked for");
    assert!(ran.stderr.contains("answers 404, notFound; hint: check calendars"), "{}", ran.stderr);
}
