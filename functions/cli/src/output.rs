//! Files that the program writes.

use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use miette::{IntoDiagnostic, WrapErr};

use crate::text::paint::width;

/// Prints a diagnostic to standard error.
pub fn say(report: &miette::Report) {
    anstream::eprintln!("{report:?}");
}

/// Writes for people, to a file or to standard output: `write` gets the columns of a line.
///
/// # Errors
/// As for [`to_file`] and [`unless_closed`].
pub fn page(
    path: Option<&Path>,
    what: &str,
    write: impl FnOnce(&mut dyn Write, usize) -> io::Result<()>,
) -> miette::Result<()> {
    match path {
        Some(path) => to_file(path, what, |out| {
            // A file keeps no colour, whatever --color says of the terminal.
            let mut plain = anstream::StripStream::new(Vec::new());
            write(&mut plain, width(false))?;
            out.write_all(&plain.into_inner())
        }),
        None => {
            let mut out = BufWriter::new(anstream::stdout().lock());
            unless_closed(write(&mut out, width(true)).and_then(|()| out.flush()))
        }
    }
}

/// Writes to standard output what other programs read: byte for byte, whatever `--color` says.
///
/// # Errors
/// As for [`unless_closed`].
pub fn plain(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> miette::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    unless_closed(write(&mut out).and_then(|()| out.flush()))
}

/// A reader that stops reading, such as `head`, is no error.
pub fn unless_closed(written: io::Result<()>) -> miette::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.into_diagnostic().wrap_err("the results cannot be written"),
    }
}

/// The most symbolic links that are followed to one file, as Linux does it.
const MOST_LINKS: usize = 40;

/// What stands where a file is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Destination {
    /// Nothing yet.
    Free,
    /// A regular file, which is replaced as a whole.
    File,
    /// A device, a pipe or a terminal: replacing it would take it from everybody else.
    Stream,
    /// A socket, which takes a connection.
    Socket,
    /// A folder.
    Folder,
}

/// The properties of a file's type that count here; a stand-in in tests has them too.
trait FileKind {
    fn regular(&self) -> bool;
    fn folder(&self) -> bool;
    fn socket(&self) -> bool;
}

impl FileKind for FileType {
    fn regular(&self) -> bool {
        self.is_file()
    }

    fn folder(&self) -> bool {
        self.is_dir()
    }

    #[cfg(unix)]
    fn socket(&self) -> bool {
        std::os::unix::fs::FileTypeExt::is_socket(self)
    }

    #[cfg(not(unix))]
    fn socket(&self) -> bool {
        false
    }
}

impl Destination {
    /// Only what certainly is a regular file is ever replaced.
    fn of(kind: Option<&impl FileKind>) -> Self {
        match kind {
            None => Self::Free,
            Some(kind) if kind.regular() => Self::File,
            Some(kind) if kind.folder() => Self::Folder,
            Some(kind) if kind.socket() => Self::Socket,
            Some(_) => Self::Stream,
        }
    }
}

/// Writes a file: a regular one as a whole or not at all, with its owner and mode; of a symbolic
/// link what it leads to. Devices, pipes and sockets are written through.
///
/// # Errors
/// It cannot be written; `what` it was to hold is in the message.
pub fn to_file(
    path: &Path,
    what: &str,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> miette::Result<()> {
    put(path, write)
        .into_diagnostic()
        .wrap_err_with(|| format!("the {what} cannot be written to {}", path.display()))
}

fn put(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let (path, opened) = followed(path)?;
    let found = match fs::metadata(&path) {
        Ok(found) => Some(found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    match Destination::of(found.as_ref().map(Metadata::file_type).as_ref()) {
        // What another process has open would go on writing to a file that nobody sees.
        Destination::File if opened => through(OpenOptions::new().append(true).open(&path)?, write),
        Destination::Free | Destination::File => replace(&path, found.as_ref(), write),
        Destination::Stream => through(OpenOptions::new().write(true).open(&path)?, write),
        Destination::Socket => to_socket(&path, write),
        Destination::Folder => {
            Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder; name a file in it"))
        }
    }
}

/// Where symbolic links lead, also to what is not there yet; and whether one of them is a file
/// that a process has open, such as `/dev/stdout`.
fn followed(path: &Path) -> io::Result<(PathBuf, bool)> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&path) {
            Ok(target) => {
                let folder = path.parent().map(Path::to_owned).unwrap_or_default();
                // What such a link says is a description, and not always a path.
                if fs::canonicalize(&folder).is_ok_and(|folder| is_of_processes(&folder)) {
                    return Ok((path, true));
                }
                path = folder.join(target);
            }
            Err(_) => return Ok((path, false)),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// `/proc/self/fd` and its like.
fn is_of_processes(folder: &Path) -> bool {
    folder.starts_with("/proc") || folder.starts_with("/dev/fd")
}

fn through(
    out: impl Write,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    write(&mut out)?;
    out.flush()
}

#[cfg(unix)]
fn to_socket(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    through(std::os::unix::net::UnixStream::connect(path)?, write)
}

#[cfg(not(unix))]
fn to_socket(_: &Path, _: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// Writes beside the file first, so that a failure leaves the old one.
fn replace(
    path: &Path,
    old: Option<&Metadata>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let Some(name) = path.file_name() else {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    };
    let mut name = name.to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let file = beside(&part)?;
    let written = fill(file, path, old, write).and_then(|()| fs::rename(&part, path));
    written.inspect_err(|_| {
        // The part is of no use to anybody; that it could not be removed is not the error.
        let _ = fs::remove_file(&part);
    })
}

fn fill(
    file: File,
    path: &Path,
    old: Option<&Metadata>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    if let Some(old) = old {
        // A file that may not be written stays as it is, although its folder would allow it.
        OpenOptions::new().write(true).open(path)?;
        keep(&file, old)?;
    }
    let mut out = BufWriter::new(file);
    write(&mut out)?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

/// A new file; of an earlier run that was ended a regular one may be left, and nothing else is
/// touched.
fn beside(part: &Path) -> io::Result<File> {
    let create = || OpenOptions::new().write(true).create_new(true).open(part);
    match create() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if !fs::symlink_metadata(part)?.is_file() {
                let message = format!("{} is in the way", part.display());
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
            }
            fs::remove_file(part)?;
            create()
        }
        other => other,
    }
}

/// Gives the new file owner and mode of the old one.
#[cfg(unix)]
fn keep(file: &File, old: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        fchown(file, Some(old.uid()), Some(old.gid())).map_err(|error| {
            io::Error::new(error.kind(), format!("its owner could not be kept: {error}"))
        })?;
    }
    file.set_permissions(old.permissions())
}

#[cfg(not(unix))]
fn keep(file: &File, old: &Metadata) -> io::Result<()> {
    file.set_permissions(old.permissions())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a file system may tell of something, without the thing itself.
    struct StandIn {
        regular: bool,
        folder: bool,
        socket: bool,
    }

    impl FileKind for StandIn {
        fn regular(&self) -> bool {
            self.regular
        }

        fn folder(&self) -> bool {
            self.folder
        }

        fn socket(&self) -> bool {
            self.socket
        }
    }

    #[test]
    fn only_a_regular_file_or_nothing_is_replaced() {
        let place =
            |regular, folder, socket| Destination::of(Some(&StandIn { regular, folder, socket }));
        assert_eq!(place(true, false, false), Destination::File);
        assert_eq!(place(false, true, false), Destination::Folder);
        assert_eq!(place(false, false, true), Destination::Socket);
        // A character device, a block device, a pipe, or what nobody has heard of.
        assert_eq!(place(false, false, false), Destination::Stream);
        assert_eq!(Destination::of(None::<&StandIn>), Destination::Free);
    }
}
