//! What an organisation's domain and an address are: a company's or a free-mail provider's, a
//! person's or a function's. Labels for people who read, nothing is dropped for them.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde::Serialize;

use crate::model::Address;

/// What stands behind a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OrganisationKind {
    /// A company, an authority, an association: whoever has the domain for itself.
    Company,
    /// Anybody: a provider who gives mailboxes away.
    FreeMail,
}

/// What kind of organisation a domain is, canonical as [`crate::normalise::people::organisation`]
/// gives it or a whole one.
#[must_use]
pub fn kind(domain: &str) -> OrganisationKind {
    let registrable = psl::domain_str(domain).unwrap_or(domain);
    let free = |domain: &str| FREE.contains(domain);
    if free(domain) || free(registrable) {
        return OrganisationKind::FreeMail;
    }
    // Brands that are found under many countries' domains.
    match registrable.split_once('.') {
        Some((brand, suffix)) if BRANDS.contains(&brand) && is_of_a_country(suffix) => {
            OrganisationKind::FreeMail
        }
        _ => OrganisationKind::Company,
    }
}

/// Whether a suffix is `com`, `net` or a country's (`fr`, `co.uk`, `com.br`), and none of those that
/// anybody takes for a brand.
fn is_of_a_country(suffix: &str) -> bool {
    let country = suffix.strip_prefix("co.").or_else(|| suffix.strip_prefix("com."));
    let country = country.unwrap_or(suffix);
    let taken = ["ai", "cc", "co", "fm", "io", "ly", "me", "sh", "so", "tv"].contains(&country);
    matches!(suffix, "com" | "net") || country.len() == 2 && !taken
}

/// Whether an address is that of a function, such as `sales@`, rather than a person's.
#[must_use]
pub fn is_role(address: &Address) -> bool {
    let mut words = address.local().split(['-', '_', '.']).filter(|word| !word.is_empty());
    let Some(first) = words.next() else { return false };
    // `sales-uk`, `info.de`, `customer_service`: what follows is a place or one more such word.
    let short = |word: &str| first.len() > 3 && word.len() <= 3;
    is_role_word(first) && words.all(|word| is_role_word(word) || short(word))
        || ROLES.contains(&address.local().replace(['-', '_', '.'], "").as_str())
}

/// The same of an address as the store gives it.
#[must_use]
pub fn is_role_text(address: Option<&String>) -> bool {
    address.is_some_and(|text| is_role(&Address::from_canonical(text.clone())))
}

/// Whether a word names a function.
#[must_use]
pub fn is_role_word(word: &str) -> bool {
    ROLES.contains(&word)
}

/// Local parts of functions: RFC 2142 (Mailbox names for common services, roles and functions), and
/// words for them in the languages of the out-of-office prefixes of [`super::automated`].
const ROLES: [&str; 118] = [
    "abuse",
    "accounting",
    "accounts",
    "accountspayable",
    "admin",
    "administration",
    "administrator",
    "advertising",
    "anfrage",
    "apply",
    "ap",
    "ar",
    "beratung",
    "bestellung",
    "billing",
    "booking",
    "bookings",
    "buchhaltung",
    "buero",
    "business",
    "campaign",
    "career",
    "careers",
    "comercial",
    "commercial",
    "compliance",
    "compras",
    "comptabilite",
    "contact",
    "contacto",
    "contactus",
    "contato",
    "crew",
    "customer",
    "customercare",
    "customerservice",
    "customersuccess",
    "data",
    "demo",
    "desk",
    "dev",
    "devops",
    "einkauf",
    "enquiries",
    "enquiry",
    "errors",
    "events",
    "facturation",
    "facturacion",
    "feedback",
    "finance",
    "frontdesk",
    "ftp",
    "general",
    "hello",
    "help",
    "helpdesk",
    "hola",
    "hostmaster",
    "hr",
    "info",
    "information",
    "inquiries",
    "inquiry",
    "investors",
    "invoice",
    "invoices",
    "it",
    "jobs",
    "kontakt",
    "kundenservice",
    "legal",
    "list",
    "lists",
    "mail",
    "mailbox",
    "marketing",
    "media",
    "members",
    "membership",
    "news",
    "newsletter",
    "noc",
    "office",
    "operations",
    "orders",
    "order",
    "partners",
    "partner",
    "payments",
    "personal",
    "post",
    "postmaster",
    "pr",
    "press",
    "presse",
    "privacy",
    "procurement",
    "purchasing",
    "rechnung",
    "reception",
    "recruiting",
    "recruitment",
    "registrar",
    "reservations",
    "root",
    "sales",
    "security",
    "service",
    "services",
    "shop",
    "staff",
    "support",
    "team",
    "tech",
    "ventas",
    "vertrieb",
    "webmaster",
];

/// Providers that have one name under the domains of many countries.
const BRANDS: [&str; 7] = ["yahoo", "hotmail", "live", "outlook", "gmx", "ymail", "mail2world"];

static FREE: LazyLock<HashSet<&str>> = LazyLock::new(|| FREE_MAIL.into_iter().collect());

/// Domains under which mailboxes are given to anybody, by country: collected by hand from what the
/// providers are known to offer, not from a list that somebody keeps up. Domains that are one
/// provider's under many countries are in [`BRANDS`].
const FREE_MAIL: [&str; 145] = [
    // United States and international.
    "gmail.com",
    "googlemail.com",
    "aol.com",
    "aim.com",
    "msn.com",
    "passport.com",
    "rocketmail.com",
    "icloud.com",
    "me.com",
    "mac.com",
    "mail.com",
    "email.com",
    "usa.com",
    "myself.com",
    "consultant.com",
    "post.com",
    "europe.com",
    "asia.com",
    "iname.com",
    "writeme.com",
    "techie.com",
    "engineer.com",
    "dr.com",
    "zoho.com",
    "zohomail.com",
    "zohomail.eu",
    "fastmail.com",
    "fastmail.fm",
    "hushmail.com",
    "hush.com",
    "inbox.com",
    "lycos.com",
    "excite.com",
    "juno.com",
    "netzero.net",
    "hey.com",
    "duck.com",
    "pobox.com",
    "proton.me",
    "protonmail.com",
    "protonmail.ch",
    "pm.me",
    "tutanota.com",
    "tutanota.de",
    "tuta.com",
    "tuta.io",
    "tutamail.com",
    "keemail.me",
    "mailfence.com",
    "posteo.net",
    "runbox.com",
    "startmail.com",
    "disroot.org",
    "riseup.net",
    "comcast.net",
    "verizon.net",
    "att.net",
    "sbcglobal.net",
    "bellsouth.net",
    "cox.net",
    "charter.net",
    "earthlink.net",
    "optonline.net",
    "frontier.com",
    "windstream.net",
    "centurylink.net",
    "q.com",
    "rogers.com",
    "shaw.ca",
    "sympatico.ca",
    "videotron.ca",
    "telus.net",
    // Germany, Austria, Switzerland.
    "web.de",
    "freenet.de",
    "t-online.de",
    "arcor.de",
    "posteo.de",
    "mailbox.org",
    "online.de",
    "email.de",
    "aon.at",
    "bluewin.ch",
    "hispeed.ch",
    // France, Belgium, the Netherlands.
    "orange.fr",
    "wanadoo.fr",
    "free.fr",
    "sfr.fr",
    "laposte.net",
    "neuf.fr",
    "bbox.fr",
    "numericable.fr",
    "club-internet.fr",
    "skynet.be",
    "telenet.be",
    "proximus.be",
    "ziggo.nl",
    "planet.nl",
    "xs4all.nl",
    "kpnmail.nl",
    "hetnet.nl",
    "casema.nl",
    // United Kingdom and Ireland.
    "btinternet.com",
    "btopenworld.com",
    "sky.com",
    "talktalk.net",
    "virginmedia.com",
    "ntlworld.com",
    "blueyonder.co.uk",
    "tiscali.co.uk",
    "eircom.net",
    // Italy, Spain, Portugal.
    "libero.it",
    "virgilio.it",
    "alice.it",
    "tin.it",
    "tiscali.it",
    "telefonica.net",
    "sapo.pt",
    // Nordic countries.
    "telia.com",
    "online.no",
    "mail.dk",
    "jubii.dk",
    "luukku.com",
    // Eastern Europe.
    "mail.ru",
    "bk.ru",
    "inbox.ru",
    "list.ru",
    "yandex.ru",
    "yandex.com",
    "ya.ru",
    "rambler.ru",
    "ukr.net",
    "i.ua",
    "wp.pl",
    "o2.pl",
    "onet.pl",
    "interia.pl",
    "seznam.cz",
    "centrum.cz",
    "azet.sk",
    "abv.bg",
    // Asia and South America.
    "qq.com",
    "163.com",
    "126.com",
    "sina.com",
    "naver.com",
];

#[cfg(test)]
mod tests {
    use super::{BRANDS, FREE_MAIL, OrganisationKind, ROLES, is_role, kind};
    use crate::normalise::address::canonical;

    #[test]
    fn providers_are_told_from_companies() {
        for (domain, free) in [
            ("gmail.com", true),
            ("googlemail.com", true),
            ("yahoo.co.uk", true),
            ("yahoo.fr", true),
            ("gmx.net", true),
            ("outlook.com", true),
            ("web.de", true),
            ("acme.example", false),
            ("mail.acme.example", false),
            ("notgmail.com", false),
            ("gmail.com.acme.example", false),
            ("yahoo.acme.example", false),
            ("live", false),
            ("live.io", false),
            ("live.example", false),
            ("hotmail.com.br", true),
        ] {
            let expected =
                if free { OrganisationKind::FreeMail } else { OrganisationKind::Company };
            assert_eq!(kind(domain), expected, "{domain}");
        }
    }

    #[test]
    fn addresses_of_functions_are_told_from_people_s() {
        for (local, role) in [
            ("info", true),
            ("sales-uk", true),
            ("info.de", true),
            ("customer.service", true),
            ("customer-service", true),
            ("accounts_payable", true),
            ("bo.li", false),
            ("sales.person", false),
            ("informatics", false),
            ("it.smith", false),
            ("ap.li", false),
            ("press", true),
        ] {
            let address = canonical(&format!("{local}@acme.example")).unwrap();
            assert_eq!(is_role(&address), role, "{local}");
        }
    }

    #[test]
    fn no_entry_stands_twice() {
        for list in [&FREE_MAIL[..], &ROLES, &BRANDS] {
            let mut sorted = list.to_vec();
            sorted.sort_unstable();
            assert!(sorted.windows(2).all(|two| two[0] != two[1]), "{sorted:?}");
        }
    }
}
