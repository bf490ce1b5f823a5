//! Files that hold keys: nobody but their owner reads them, and whoever waits for one sees it whole or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Makes a folder, and those above it that aren't there. One that is there stays as it is.
pub fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Opens a file for writing, made if it isn't there; what it holds stays.
pub fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    close(path)?;
    Ok(file)
}

/// Puts `content` in the place of whatever is there.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut file = open(&unfinished)?;
    file.set_len(0)?;
    file.write_all(content)?;
    fs::rename(&unfinished, path)
}

/// Takes from everybody else what they may do with a file or a folder, if it is there.
pub fn close(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    match fs::metadata(path) {
        Ok(found) => {
            use std::os::unix::fs::PermissionsExt;
            let own = found.permissions().mode() & 0o700;
            fs::set_permissions(path, fs::Permissions::from_mode(own))?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("there").permissions().mode() & 0o777
    }

    #[test]
    fn what_is_written_is_its_owners_alone_whatever_was_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let (below, file) = (folder.path().join("a/b"), folder.path().join("ready.json"));
        make_folder(&below).expect("made");
        assert_eq!(mode(&below), 0o700);
        fs::write(&file, "a longer text than the next").expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("opened to all");
        write(&file, b"{}").expect("written");
        assert_eq!((mode(&file), fs::read(&file).expect("read").as_slice()), (0o600, b"{}".as_slice()));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o664)).expect("opened to all");
        drop(open(&file).expect("opened"));
        assert_eq!((mode(&file), fs::read(&file).expect("read").as_slice()), (0o600, b"{}".as_slice()));
        close(&folder.path().join("nothing")).expect("nothing to close");
    }
}
