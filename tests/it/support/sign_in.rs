//! The part of a provider at which people sign in: by a browser (RFC 6749, 4.1), whose codes are
//! bound to a challenge (RFC 7636) and to where they are sent, and on a device (RFC 8628).

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::tokens::{Form, Shared};

/// The grant type of RFC 8628, 3.4.
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// What a person types.
pub(crate) const WORD: &str = "WDJB-MJHT";
/// What a device is known by.
const DEVICE_CODE: &str = "canary-device-code";

/// Sign-ins under way, and what has become of others.
#[derive(Debug, Default)]
pub(crate) struct SignIns {
    /// What each authorization was asked for with, in their order.
    pub(crate) asked: Vec<Form>,
    /// Codes that have not been exchanged.
    codes: BTreeMap<String, Form>,
    /// What the next questions of a device are answered with, before it is let in.
    pub(crate) answers: VecDeque<&'static str>,
    /// How often a device may ask, in seconds, and when it did last.
    pub(crate) interval: u64,
    last: Option<Instant>,
    /// Whether a device has asked sooner than it may.
    pub(crate) hasty: bool,
}

impl SignIns {
    /// Nothing that was given out before is good any more.
    pub(crate) fn expire(&mut self) {
        self.codes.clear();
    }
}

/// A page that asks whether somebody agrees.
pub(super) async fn authorize(
    State(shared): State<Arc<Mutex<Shared>>>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let form: Form = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    assert_eq!((&*form["response_type"], &*form["code_challenge_method"]), ("code", "S256"));
    assert_eq!(form["code_challenge"].len(), 43, "256 bits: {form:?}");
    assert!(form["redirect_uri"].starts_with("http://127.0.0.1:"), "{form:?}");
    let sign_ins = &mut shared.lock().unwrap().sign_ins;
    sign_ins.asked.push(form.clone());
    // As a provider may, one that has to be written otherwise in a query.
    let code = format!("canary/code+{}=", sign_ins.asked.len());
    let back = |fields: &[(&str, &str)]| {
        let mut url = reqwest::Url::parse(&form["redirect_uri"]).unwrap();
        url.query_pairs_mut().extend_pairs(fields).append_pair("state", &form["state"]);
        url.to_string().replace('&', "&amp;")
    };
    let allow = back(&[("code", &code)]);
    let deny = back(&[("error", "access_denied"), ("error_description", "canary-words")]);
    sign_ins.codes.insert(code, form);
    Html(format!(
        "<!doctype html><title>sign in</title><a id=allow href=\"{allow}\">allow</a>\n\
         <a id=deny href=\"{deny}\">deny</a>"
    ))
    .into_response()
}

/// What a device shows.
pub(super) async fn device(State(shared): State<Arc<Mutex<Shared>>>, body: Bytes) -> Response {
    let form: Form = form_urlencoded::parse(&body).into_owned().collect();
    let sign_ins = &mut shared.lock().unwrap().sign_ins;
    assert_eq!(form["client_id"], "kw");
    sign_ins.asked.push(form);
    sign_ins.interval = 1;
    sign_ins.last = Some(Instant::now());
    serde_json::json!({
        "device_code": DEVICE_CODE, "user_code": WORD, "interval": sign_ins.interval,
        "verification_uri": "https://id.us.example/device", "expires_in": 300,
    })
    .to_string()
    .into_response()
}

/// Whether a request for a token is the end of a sign-in, and whether that is as it should be.
pub(super) fn judge(sign_ins: &mut SignIns, form: &Form) -> Option<Result<(), &'static str>> {
    match &*form["grant_type"] {
        "authorization_code" => Some(exchanged(sign_ins, form)),
        DEVICE => Some(polled(sign_ins, form)),
        "refresh_token" => None,
        other => panic!("{other}"),
    }
}

/// RFC 6749, 4.1.3, and RFC 7636, 4.6.
fn exchanged(sign_ins: &mut SignIns, form: &Form) -> Result<(), &'static str> {
    // Once, whatever comes of it.
    let asked = sign_ins.codes.remove(&form["code"]).ok_or("invalid_grant")?;
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(form["code_verifier"].as_bytes()));
    let same = |name: &str| form.get(name) == asked.get(name);
    let good = same("redirect_uri") && same("client_id") && challenge == asked["code_challenge"];
    if good { Ok(()) } else { Err("invalid_grant") }
}

/// RFC 8628, 3.5.
fn polled(sign_ins: &mut SignIns, form: &Form) -> Result<(), &'static str> {
    let waited = sign_ins.last.replace(Instant::now()).unwrap().elapsed();
    sign_ins.hasty |= waited < Duration::from_secs(sign_ins.interval);
    if form["device_code"] != DEVICE_CODE {
        return Err("invalid_grant");
    }
    match sign_ins.answers.pop_front() {
        None => Ok(()),
        Some(error) => {
            sign_ins.interval += if error == "slow_down" { 5 } else { 0 };
            Err(error)
        }
    }
}
