//! A WebDAV client of a few lines, in the clear: it puts objects onto a server and reads them back,
//! one by one. It is not the code in test, so that both cannot be wrong in the same way.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who logs in.
#[derive(Clone, Debug)]
pub(crate) struct Dav {
    address: SocketAddr,
    authorization: String,
}

impl Dav {
    pub(crate) fn new(address: SocketAddr, user: &str, password: &str) -> Self {
        let authorization = STANDARD.encode(format!("{user}:{password}"));
        Self { address, authorization }
    }

    /// Makes a calendar for events.
    #[track_caller]
    pub(crate) fn make(&self, path: &str) {
        self.make_for(path, "VEVENT");
    }

    /// Makes a calendar for these components only.
    #[track_caller]
    pub(crate) fn make_for(&self, path: &str, component: &str) {
        let body = format!(
            r#"<C:mkcalendar xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop><C:supported-calendar-component-set><C:comp name="{component}"/></C:supported-calendar-component-set></prop></set></C:mkcalendar>"#
        );
        self.run("MKCALENDAR", path, "Content-Type: application/xml\r\n", &body);
    }

    #[track_caller]
    pub(crate) fn put(&self, path: &str, ics: &str) {
        self.run("PUT", path, "Content-Type: text/calendar\r\n", ics);
    }

    /// Puts an object, unless the server finds fault with it; whether it was taken.
    #[track_caller]
    pub(crate) fn offer(&self, path: &str, ics: &str) -> bool {
        let (status, answer) = self.send("PUT", path, "Content-Type: text/calendar\r\n", ics);
        assert!((200..300).contains(&status) || status == 400, "PUT {path}: {status} {answer}");
        status != 400
    }

    #[track_caller]
    pub(crate) fn delete(&self, path: &str) {
        self.run("DELETE", path, "", "");
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> String {
        self.run("GET", path, "", "")
    }

    /// Gives an object another path.
    #[track_caller]
    pub(crate) fn rename(&self, from: &str, to: &str) {
        let ics = self.get(from);
        self.delete(from);
        self.put(to, &ics);
    }

    /// The paths of the objects in a calendar.
    #[track_caller]
    pub(crate) fn list(&self, calendar: &str) -> Vec<String> {
        let body = r#"<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>"#;
        let headers = "Depth: 1\r\nContent-Type: application/xml\r\n";
        let answer = self.run("PROPFIND", calendar, headers, body);
        let hrefs = answer.split("href>").skip(1).step_by(2);
        let mut paths: Vec<String> = hrefs
            .map(|href| href.split('<').next().unwrap().to_owned())
            .filter(|path| path.ends_with(".ics"))
            .collect();
        paths.sort();
        paths
    }

    /// Runs a request, which must succeed; answers with the body.
    #[track_caller]
    fn run(&self, method: &str, path: &str, headers: &str, body: &str) -> String {
        let (status, answer) = self.send(method, path, headers, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    /// HTTP/1.0, so that the answer ends with the connection.
    fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nAuthorization: Basic {}\r\n{headers}\
             Content-Length: {}\r\n\r\n",
            self.address,
            self.authorization,
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }
}
