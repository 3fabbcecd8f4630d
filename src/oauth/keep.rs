//! The file of a refresh token that a provider gave in exchange for another.
//!
//! Guarantees that after [`write`] has returned the file survives a loss of power, that at any
//! instant it is the old one or the new one whole, and that only our user can read it.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The most bytes of a file that are read.
const MAX_BYTES: u64 = 64 << 10;

/// What is kept. It holds a secret, so there is no `Debug`.
#[derive(Deserialize, Serialize)]
pub(super) struct Kept {
    /// Hash of the configured refresh token from which this one comes: another one wins.
    pub(super) configured: String,
    /// The newest refresh token.
    pub(super) refresh_token: String,
}

/// What a file holds; nothing if there is none or it is not one of ours.
///
/// # Errors
/// If it is there and cannot be read.
pub(super) fn read(path: &Path) -> io::Result<Option<Kept>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes)?;
    let kept = serde_json::from_slice(&bytes).ok();
    if kept.is_none() {
        tracing::warn!(path = %path.display(), "not a file of ours, the configured token is used");
    }
    Ok(kept)
}

/// Writes the file and waits until it is on the disk.
///
/// # Errors
/// If any of it fails; the file is the old one then.
pub(super) fn write(path: &Path, kept: &Kept) -> io::Result<()> {
    let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    prepare(directory)?;
    let new = with_suffix(path, ".new");
    // Left by a crash, or nothing.
    let _ = fs::remove_file(&new);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(&serde_json::to_vec(kept)?)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    File::open(directory)?.sync_all()
}

/// Makes the directory ours alone, and its entry durable.
fn prepare(directory: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Ok(()) => directory.parent().map_or(Ok(()), |above| File::open(above)?.sync_all()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::set_permissions(directory, Permissions::from_mode(0o700))
        }
        Err(error) => Err(error),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(refresh_token: &str) -> Kept {
        Kept { configured: "rt_a".to_owned(), refresh_token: refresh_token.to_owned() }
    }

    #[test]
    fn what_is_written_is_read_and_nobody_else_reads_it() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("tokens/ann.json");
        assert!(read(&path).unwrap().is_none());
        for token in ["one", "two"] {
            write(&path, &kept(token)).unwrap();
            assert_eq!(read(&path).unwrap().unwrap().refresh_token, token);
        }
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(
            fs::read_dir(path.parent().unwrap()).unwrap().count(),
            1,
            "nothing else is left"
        );
    }

    #[test]
    fn what_a_crash_leaves_is_in_nobodys_way() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("tokens/ann.json");
        write(&path, &kept("old")).unwrap();
        fs::write(with_suffix(&path, ".new"), b"{\"configured\":\"rt_a\",\"refr").unwrap();
        assert_eq!(read(&path).unwrap().unwrap().refresh_token, "old");
        write(&path, &kept("new")).unwrap();
        assert_eq!(read(&path).unwrap().unwrap().refresh_token, "new");
        fs::write(&path, b"{\"configured\":").unwrap();
        assert!(read(&path).unwrap().is_none(), "not ours");
    }
}
