//! What a server is asked, as XML: RFC 4918 (PROPFIND), 6578 (sync-collection), 4791 (multiget).
//!
//! Pure. Never asks for a `limit`, which some servers apply without saying so, nor for recurrences
//! to be expanded, which some do wrongly.

use quick_xml::escape::escape;

/// Where to look further: is this a calendar, who is logged in, where are their calendars.
pub(super) const WHERE: &str = concat!(
    r#"<propfind xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><resourcetype/>"#,
    r"<current-user-principal/><C:calendar-home-set/></prop></propfind>"
);

/// What there is: collections, what each is, and by what it is told whether they have changed.
pub(super) const COLLECTIONS: &str = concat!(
    r#"<propfind xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" "#,
    r#"xmlns:S="http://calendarserver.org/ns/"><prop><resourcetype/><displayname/>"#,
    r"<C:supported-calendar-component-set/><supported-report-set/><sync-token/><S:getctag/>",
    r"</prop></propfind>"
);

/// The objects of a calendar with their ETags, and the calendar's own token of the same moment.
pub(super) const OBJECTS: &str = concat!(
    r#"<propfind xmlns="DAV:" xmlns:S="http://calendarserver.org/ns/"><prop><resourcetype/>"#,
    r"<getetag/><sync-token/><S:getctag/></prop></propfind>"
);

/// What has changed since a token; with an empty one, all there is.
pub(super) fn changes_since(token: &str) -> String {
    format!(
        r#"<sync-collection xmlns="DAV:"><sync-token>{}</sync-token><sync-level>1</sync-level><prop><resourcetype/><getetag/></prop></sync-collection>"#,
        escape(token)
    )
}

/// These objects, by the hrefs that the server has given them.
pub(super) fn objects<'h>(hrefs: impl Iterator<Item = &'h str>) -> String {
    let hrefs: String = hrefs.map(|href| format!("<D:href>{}</D:href>", escape(href))).collect();
    format!(
        r#"<C:calendar-multiget xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/><C:calendar-data/></D:prop>{hrefs}</C:calendar-multiget>"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_has_given_cannot_break_out_of_a_request() {
        let evil = r#"x</D:href><D:prop><all/></D:prop>&"'"#;
        for request in [changes_since(evil), objects([evil].into_iter())] {
            assert!(!request.contains("<all/>"), "{request}");
            assert!(request.contains("&lt;all/&gt;") && request.contains("&amp;"), "{request}");
        }
    }
}
