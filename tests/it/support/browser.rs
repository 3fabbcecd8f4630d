//! Debian's Chromium, without a window, driven through ChromeDriver (W3C WebDriver): what is seen on
//! a page, and what happens when somebody presses a button. `tests/run` installs both.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::dovecot::free_port;
use super::http;

const DRIVER: &str = "/usr/bin/chromedriver";
const CHROMIUM: &str = "/usr/bin/chromium";

/// How long the driver may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// Nothing but the page: without these Chromium asks for updates and more, at every start.
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
];

/// What a page is to look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

/// A browser with one window; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// A phone's window, whose pages run no scripts.
    pub(crate) fn phone_without_scripts() -> Self {
        let browser = Self::phone();
        browser.tell("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
        browser
    }

    /// A phone's window.
    pub(crate) fn phone() -> Self {
        let browser = Self::start();
        browser.tell(
            "Emulation.setDeviceMetricsOverride",
            &json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true }),
        );
        browser
    }

    fn start() -> Self {
        for program in [DRIVER, CHROMIUM] {
            assert!(
                Path::new(program).exists(),
                "{program} is not installed: run the tests by `tests/run`, which installs it"
            );
        }
        let profile = tempfile::Builder::new().prefix("chromium-").tempdir().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let driver = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", DRIVER])
            .arg(format!("--port={}", address.port()))
            .env("HOME", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut browser = Self { driver, address, session: String::new(), _profile: profile };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < deadline, "{DRIVER} does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        let place = browser._profile.path().join("profile");
        let place = format!("--user-data-dir={}", place.display());
        let flags: Vec<&str> = FLAGS.iter().copied().chain([place.as_str()]).collect();
        let options = json!({ "binary": CHROMIUM, "args": flags });
        let wanted = json!({ "browserName": "chrome", "goog:chromeOptions": options });
        let asked = json!({ "capabilities": { "alwaysMatch": wanted } });
        let begun = browser.ask("POST", "/session", &asked);
        browser.session = format!("/session/{}", begun["sessionId"].as_str().unwrap());
        browser
    }

    /// Opens an address, and waits until it is loaded.
    #[track_caller]
    pub(crate) fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// Presses what the selector finds; what follows may take a moment.
    #[track_caller]
    pub(crate) fn press(&self, selector: &str) {
        let found = self.post("/element", &json!({ "using": "css selector", "value": selector }));
        let element = found.as_object().unwrap().values().next().unwrap().as_str().unwrap();
        self.post(&format!("/element/{element}/click"), &json!({}));
    }

    /// What an expression is on the page; for looking only, as the page itself has no scripts.
    #[track_caller]
    pub(crate) fn look(&self, expression: &str) -> Value {
        let script = format!("return ({expression});");
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Everything that can be read.
    #[track_caller]
    pub(crate) fn text(&self) -> String {
        self.look("document.body.innerText").as_str().unwrap().to_owned()
    }

    /// Waits until these words can be read.
    #[track_caller]
    pub(crate) fn wait_for(&self, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = self.text();
            if text.contains(words) {
                return;
            }
            assert!(Instant::now() < deadline, "{words:?} is not in {text:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Prefers light or dark from now on.
    pub(crate) fn prefer(&self, scheme: Scheme) {
        let value = if scheme == Scheme::Dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": value }]);
        self.tell("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// What is seen, as PNG; kept under that name in the directory `KEEPWARM_SCREENSHOTS`, if that is
    /// set, for people to look at.
    pub(crate) fn picture(&self, name: &str) -> Vec<u8> {
        let encoded = self.ask("GET", &format!("{}/screenshot", self.session), &Value::Null);
        let picture = STANDARD.decode(encoded.as_str().unwrap()).unwrap();
        if let Some(directory) = std::env::var_os("KEEPWARM_SCREENSHOTS") {
            std::fs::write(Path::new(&directory).join(format!("{name}.png")), &picture).unwrap();
        }
        picture
    }

    /// A command of the DevTools protocol.
    #[track_caller]
    fn tell(&self, command: &str, parameters: &Value) {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }));
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", &format!("{}{path}", self.session), body)
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = ["Content-Type: application/json; charset=utf-8"];
        let reply = http::ask(self.address, method, path, &headers, &body);
        assert_eq!(reply.status, 200, "{method} {path} {body}: {}", reply.body);
        reply.json()["value"].clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() && !std::thread::panicking() {
            self.ask("DELETE", &self.session, &Value::Null);
        } else if !self.session.is_empty() {
            // The window would outlive the driver.
            let path = self.session.clone();
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                http::ask(self.address, "DELETE", &path, &[], "")
            }));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
