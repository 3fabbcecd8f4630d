//! The event by which an admin tries an endpoint: `nudge.test.v1`, a nudge about nobody. Pure.

use super::format::{Item, Message};
use crate::model::key::public_id;
use crate::model::{Reason, Timestamp};
use crate::nudge::Event;
use crate::nudge::payload::{ContactPart, LastPart, Payload, RepPart, StrengthPart};

/// The type of the event.
pub const TEST: &str = "nudge.test.v1";

/// A message that says that this is a test, in the form of every other; each instant has an id of its
/// own, so that a receiver does not take the second test for a repetition of the first.
#[must_use]
pub fn test_message(endpoint: &str, rep: RepPart, now: Timestamp) -> Message {
    let parts = [TEST.as_bytes(), endpoint.as_bytes(), &now.millis().to_le_bytes()];
    let nudge_id = public_id("ndg_", &parts);
    let text = format!("This is a test of the endpoint {endpoint}. It is about nobody.");
    let event = Event {
        r#type: TEST.to_owned(),
        timestamp: now,
        data: Payload {
            nudge_id: nudge_id.clone(),
            episode_id: public_id("eps_", &parts),
            rep,
            contact: ContactPart {
                id: public_id("con_", &parts),
                name: "Test Contact".to_owned(),
                address: "test@contact.example".to_owned(),
                organisation: "contact.example".to_owned(),
            },
            strength: StrengthPart { now: 31.2, baseline: 72.0, band: "cooling".to_owned() },
            reasons: vec![Reason {
                code: "test".to_owned(),
                days: None,
                usual_gap_days: None,
                text,
            }],
            last_interaction: LastPart {
                at: now,
                kind: "message".to_owned(),
                direction: "inbound".to_owned(),
            },
            suggestion: "Nothing is to be done: whoever reads this gets nudges.".to_owned(),
            data_fresh_at: now,
            reminder: None,
            account: None,
            moved_to: None,
        },
    };
    let stored = serde_json::to_string(&event).unwrap_or_default();
    Message { id: nudge_id, at: now, items: vec![Item { event, stored, links: None }] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::format::{Format, render};

    #[test]
    fn a_test_has_the_form_of_every_other_event() {
        let rep = RepPart {
            id: "ann".to_owned(),
            name: "Ann".to_owned(),
            address: "ann@us.example".to_owned(),
        };
        let now = Timestamp::from_seconds(1_795_248_000);
        let message = test_message("crm", rep.clone(), now);
        let body = render(&Format::Standard, &message).unwrap().body;
        let event: Event = serde_json::from_str(&body).unwrap();
        assert_eq!((event.r#type.as_str(), &event.data.nudge_id), (TEST, &message.id));
        let later = Timestamp::from_seconds(1_795_248_001);
        assert_ne!(test_message("crm", rep.clone(), later).id, message.id);
        assert_ne!(test_message("erp", rep, now).id, message.id);
    }
}
