//! The pages behind links in messages. GET asks and changes nothing, however often and by whomever
//! it is made: mail and chat programs follow links by themselves. Only POST acts, and only with the
//! field that the page's button sends.
//!
//! Works without scripts. Whoever has a link may do what it names: so it is kept from caches, from
//! search engines, and from the addresses of pages visited next.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use super::link::{self, Link, Purpose, Refused, tail};
use super::{Answers, Shared, page};
use crate::model::feedback::{About, Outcome, Way};

/// The most that a form of one button holds, in bytes, with room to spare.
const FORM_BYTES: usize = 1024;

/// What every page is sent with, but for the policy, which is computed.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow, noarchive"),
];

/// The parts of a link's path after `/feedback/`.
type Parts = Path<[String; 4]>;

/// The routes of the pages.
pub(super) fn routes<D: Answers>() -> Router<Arc<Shared<D>>> {
    Router::new()
        .route("/feedback/{nudge}/{what}/{expires}/{signature}", get(show::<D>).post(act::<D>))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .layer(axum::middleware::map_response(guard))
}

/// What a page comes to.
struct Shown(StatusCode, String);

impl IntoResponse for Shown {
    fn into_response(self) -> Response {
        (self.0, Html(self.1)).into_response()
    }
}

/// Asks, or tells what was answered.
async fn show<D: Answers>(State(shared): State<Arc<Shared<D>>>, Path(parts): Parts) -> Shown {
    let (link, about) = match look(&shared, &parts).await {
        Ok(found) => found,
        Err(shown) => return shown,
    };
    let html = match (link.purpose, &about.given) {
        (Purpose::Answer(wanted), Some(given)) if given.feedback == wanted => {
            page::given(given, &about, &take_back(&shared, &link))
        }
        (Purpose::Answer(wanted), Some(given)) => {
            page::otherwise(wanted, given, &about, &take_back(&shared, &link))
        }
        (Purpose::Answer(wanted), None) => page::ask(wanted, &about, shared.daemon.now()),
        (Purpose::TakeBack, Some(given)) => page::ask_back(given, &about),
        (Purpose::TakeBack, None) => page::taken_back(&about),
    };
    Shown(StatusCode::OK, html)
}

/// Does what the link names, then shows its page again: to load that again asks nothing twice.
async fn act<D: Answers>(
    State(shared): State<Arc<Shared<D>>>,
    Path(parts): Parts,
    form: Result<Bytes, BytesRejection>,
) -> Response {
    let (link, about) = match look(&shared, &parts).await {
        Ok(found) => found,
        Err(shown) => return shown.into_response(),
    };
    if !form.is_ok_and(|form| confirms(&form, link.purpose)) {
        return Shown(
            StatusCode::UNPROCESSABLE_ENTITY,
            page::failed("Nothing was changed", "Open the link and press the button on its page."),
        )
        .into_response();
    }
    match link.purpose {
        Purpose::Answer(feedback) => {
            match shared.daemon.answer(&link.nudge, feedback, Way::Link).await {
                Ok(Outcome::Taken(_) | Outcome::Before(_)) => again(&parts),
                Ok(Outcome::Otherwise(given)) => {
                    let html =
                        page::otherwise(feedback, &given, &about, &take_back(&shared, &link));
                    Shown(StatusCode::CONFLICT, html).into_response()
                }
                Ok(Outcome::Unknown) => Shown(StatusCode::NOT_FOUND, page::gone()).into_response(),
                Err(why) => unstored(&why).into_response(),
            }
        }
        Purpose::TakeBack => match shared.daemon.take_back(&link.nudge).await {
            Ok(_) => again(&parts),
            Err(why) => unstored(&why).into_response(),
        },
    }
}

/// The link, and what it is about; or the page that says why it does nothing.
async fn look<D: Answers>(shared: &Shared<D>, parts: &[String; 4]) -> Result<(Link, About), Shown> {
    let [nudge, what, expires, signature] = parts;
    let read =
        link::read(&shared.access.key, [nudge, what, expires, signature], shared.daemon.now());
    let link = read.map_err(|why| {
        let status = match why {
            Refused::NotOurs => StatusCode::FORBIDDEN,
            Refused::Expired => StatusCode::GONE,
        };
        Shown(status, page::refused(why))
    })?;
    match shared.daemon.about(&link.nudge).await {
        Ok(Some(about)) => Ok((link, about)),
        Ok(None) => Err(Shown(StatusCode::NOT_FOUND, page::gone())),
        Err(why) => Err(unstored(&why)),
    }
}

/// Whether a form was sent by the button of the page for that purpose.
fn confirms(form: &[u8], purpose: Purpose) -> bool {
    form_urlencoded::parse(form)
        .any(|(name, value)| name == page::CONFIRM && value == purpose.code())
}

/// Where the answer of a link is taken back, seen from the link's own page.
fn take_back<D>(shared: &Shared<D>, link: &Link) -> String {
    format!("../../{}", tail(&shared.access.key, &link.nudge, Purpose::TakeBack, link.expires_at))
}

/// To the page of the link with these parts: relative, as the daemon may be reached below a path.
fn again([_, _, _, signature]: &[String; 4]) -> Response {
    let to = HeaderValue::from_str(signature).unwrap_or(HeaderValue::from_static("."));
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

fn unstored(why: &str) -> Shown {
    tracing::error!(why, "the page of a link was not answered");
    Shown(
        StatusCode::SERVICE_UNAVAILABLE,
        page::failed("Not now", "Nothing was changed. Please try again in a minute."),
    )
}

async fn guard(mut response: Response) -> Response {
    let headers: &mut HeaderMap = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&page::security_policy()) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
