//! Who takes part in an event: organiser and attendees, each once.
//!
//! Leaves out rooms and resources, groups (their members are listed beside them, if they are
//! invited one by one), people copied for information, and the addresses that calendar services
//! make up for themselves. Who writes in somebody's name (SENT-BY) takes no part. What an address
//! is, `normalise::address` decides.

use std::collections::HashMap;

use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarParameterName, ICalendarParameterValue,
    ICalendarParticipationRole, ICalendarParticipationStatus, ICalendarProperty,
    ICalendarUserTypes,
};

use super::{MAX_ATTENDEES, Problem};
use crate::model::{Address, Attendee, Participation, Person};
use crate::normalise::address;

/// The domain under which Google gives addresses to rooms, groups and unknown organisers.
const SERVICE_DOMAIN: &str = "calendar.google.com";

/// Reads ORGANIZER and ATTENDEE. The organiser comes first and has always accepted.
pub(super) fn read(component: &ICalendarComponent, problems: &mut Vec<Problem>) -> Vec<Attendee> {
    let mut people = People::default();
    for entry in component.properties(&ICalendarProperty::Organizer).take(1) {
        people.add(person(entry), Participation::Accepted, Part::Organizer);
    }
    for entry in component.properties(&ICalendarProperty::Attendee) {
        if is_somebody(entry) {
            people.add(person(entry), participation(entry), Part::Attendee);
        }
        if people.list.len() > MAX_ATTENDEES {
            people.list.truncate(MAX_ATTENDEES);
            problems.push(Problem::TooManyAttendees);
            break;
        }
    }
    people.list
}

/// In which property somebody stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Organizer,
    Attendee,
}

/// The people so far, and where each of them is.
#[derive(Default)]
struct People {
    list: Vec<Attendee>,
    places: HashMap<Address, usize>,
}

impl People {
    /// Adds somebody, or what is new about somebody who is there already.
    fn add(&mut self, person: Option<Person>, participation: Participation, part: Part) {
        let Some(person) = person else { return };
        let place = self.places.get(&person.address).copied();
        match place.and_then(|place| self.list.get_mut(place)) {
            Some(known) => {
                if known.person.name.is_empty() {
                    known.person.name = person.name;
                }
            }
            None => {
                self.places.insert(person.address.clone(), self.list.len());
                let organizer = part == Part::Organizer;
                self.list.push(Attendee { person, participation, organizer });
            }
        }
    }
}

/// The person of an ORGANIZER or ATTENDEE. Exchange writes X.500 names and Google URNs where an
/// address should be; then the EMAIL parameter holds it (RFC 7986, 6.2).
fn person(entry: &ICalendarEntry) -> Option<Person> {
    let name = entry.parameter(&ICalendarParameterName::Cn).and_then(|value| value.as_text());
    let value = entry.values.first().and_then(|value| value.as_text()).unwrap_or_default().trim();
    let email = entry.parameter(&ICalendarParameterName::Email).and_then(|value| value.as_text());
    let written = match (value.split_once(':'), email) {
        (Some((scheme, _)), _) if scheme.eq_ignore_ascii_case("mailto") => value,
        (_, Some(email)) => email,
        (Some(_), None) => return None,
        (None, None) => value,
    };
    address::parse(written, name).filter(|person| !is_service(&person.address))
}

/// Whether the address belongs to a calendar service instead of a person.
fn is_service(address: &Address) -> bool {
    let domain = address.domain();
    let under = domain.strip_suffix(SERVICE_DOMAIN);
    under.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether an ATTENDEE is more than furniture, a list or a copy for information.
fn is_somebody(entry: &ICalendarEntry) -> bool {
    let kind = entry.parameter(&ICalendarParameterName::Cutype);
    let role = entry.parameter(&ICalendarParameterName::Role);
    !matches!(
        kind,
        Some(ICalendarParameterValue::Cutype(
            ICalendarUserTypes::Room | ICalendarUserTypes::Resource | ICalendarUserTypes::Group
        ))
    ) && !matches!(
        role,
        Some(ICalendarParameterValue::Role(ICalendarParticipationRole::NonParticipant))
    )
}

/// What the attendee has answered; who sends somebody else does not come.
fn participation(entry: &ICalendarEntry) -> Participation {
    use ICalendarParticipationStatus as Status;
    match entry.parameter(&ICalendarParameterName::Partstat) {
        Some(ICalendarParameterValue::Partstat(status)) => match status {
            Status::Accepted | Status::Completed | Status::InProcess => Participation::Accepted,
            Status::Declined | Status::Delegated | Status::Failed => Participation::Declined,
            Status::Tentative => Participation::Tentative,
            Status::NeedsAction => Participation::NeedsAction,
        },
        _ => Participation::NeedsAction,
    }
}
