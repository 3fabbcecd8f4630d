//! An IMAP client of a few lines, in the clear: it makes mailboxes and puts mail into them, on any
//! server. It is not the code in test, so that both cannot be wrong in the same way.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::generate::Mail;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection with somebody logged in.
#[derive(Debug)]
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
    count: u32,
}

impl Client {
    /// Logs in, which must succeed.
    #[track_caller]
    pub(crate) fn login(address: SocketAddr, user: &str, password: &str) -> Self {
        Self::try_login(address, user, password).unwrap_or_else(|answer| panic!("{answer}"))
    }

    /// Logs in, or answers with the server's words.
    pub(crate) fn try_login(
        address: SocketAddr,
        user: &str,
        password: &str,
    ) -> Result<Self, String> {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut client = Self { stream: BufReader::new(stream), count: 0 };
        let greeting = client.line();
        assert!(greeting.starts_with("* OK"), "{greeting}");
        let password = password.replace('\\', "\\\\").replace('"', "\\\"");
        client.send(&format!("LOGIN {user} \"{password}\""));
        match client.finish() {
            (_, answer) if answer.starts_with("OK") => Ok(client),
            (_, answer) => Err(answer),
        }
    }

    /// Runs a command, which must succeed; answers with the untagged lines.
    #[track_caller]
    pub(crate) fn run(&mut self, command: &str) -> Vec<String> {
        self.send(command);
        let (lines, answer) = self.finish();
        assert!(answer.starts_with("OK"), "{command}: {answer}");
        lines
    }

    /// Puts a message into a mailbox of that name, received when it was sent.
    #[track_caller]
    pub(crate) fn append_to(&mut self, mailbox: &str, mail: &Mail) {
        let date = chrono::DateTime::from_timestamp(i64::try_from(mail.at).unwrap(), 0).unwrap();
        let date = date.format("%d-%b-%Y %H:%M:%S +0000");
        self.send(&format!("APPEND \"{mailbox}\" \"{date}\" {{{}}}", mail.bytes.len()));
        let asked = self.line();
        assert!(asked.starts_with('+'), "APPEND to {mailbox}: {asked}");
        let stream = self.stream.get_mut();
        stream.write_all(&[&mail.bytes, b"\r\n" as &[u8]].concat()).unwrap();
        let (_, answer) = self.finish();
        assert!(answer.starts_with("OK"), "APPEND to {mailbox}: {answer}");
    }

    fn send(&mut self, command: &str) {
        self.count += 1;
        let line = format!("a{} {command}\r\n", self.count);
        self.stream.get_mut().write_all(line.as_bytes()).unwrap();
    }

    /// The untagged lines, and the tagged one without its tag.
    fn finish(&mut self) -> (Vec<String>, String) {
        let tag = format!("a{} ", self.count);
        let mut lines = Vec::new();
        loop {
            let line = self.line();
            match line.strip_prefix(&tag) {
                Some(answer) => return (lines, answer.to_owned()),
                None => lines.push(line),
            }
        }
    }

    fn line(&mut self) -> String {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).unwrap();
        assert!(line.ends_with(b"\n"), "the server closed the connection");
        String::from_utf8_lossy(&line).trim_end().to_owned()
    }
}
