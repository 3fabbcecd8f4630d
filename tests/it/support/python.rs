//! What `tests/run` has installed for Python: how it is run.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take until it listens.
const PATIENCE: Duration = Duration::from_secs(30);

/// The interpreter, which ends with this thread.
pub(crate) fn interpreter() -> Command {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-servers/venv/bin/python");
    assert!(
        python.exists(),
        "{} is not installed: run the tests by `tests/run`, which installs what they need",
        python.display()
    );
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(python);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// A program that is a module.
pub(crate) fn module(name: &str) -> Command {
    let mut command = interpreter();
    command.args(["-m", name]);
    command
}

/// Waits until a server listens; whether it does.
pub(crate) fn listens(child: &mut Child, address: SocketAddr) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline && child.try_wait().unwrap().is_none() {
        if TcpStream::connect(address).is_ok() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}
