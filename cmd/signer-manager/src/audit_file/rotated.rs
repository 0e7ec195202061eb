//! A file that is begun anew when it is large, of which some older ones are kept.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

use super::AuditFileOptions;

/// The file, and beside it `.1`, `.2` and so on: the older, the higher.
#[derive(Debug)]
pub(super) struct RotatedFile {
    options: AuditFileOptions,
    /// None after it couldn't be written.
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    size: u64,
}

impl RotatedFile {
    pub(super) fn open(options: AuditFileOptions) -> io::Result<Self> {
        let open = Open::at(&options)?;
        Ok(Self { options, open: Some(open) })
    }

    /// Writes a record, whole or not at all.
    pub(super) fn write(&mut self, record: &[u8]) -> io::Result<()> {
        let open = match self.open.take() {
            Some(open) => open,
            None => Open::at(&self.options)?,
        };
        let is_full = open.size > 0 && open.size + record.len() as u64 > self.options.size;
        let mut open = if is_full { self.rotate()? } else { open };
        if let Err(error) = open.file.write_all(record) {
            // half a record would spoil the next one too; where it can't be taken back, nothing more can be done
            let _ = open.file.set_len(open.size);
            return Err(error);
        }
        open.size += record.len() as u64;
        self.open = Some(open);
        Ok(())
    }

    fn rotate(&self) -> io::Result<Open> {
        for index in (1..=self.options.backups).rev() {
            let (from, to) = (self.path(index - 1), self.path(index));
            match fs::rename(from, to) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        if self.options.backups == 0 {
            fs::remove_file(&self.options.path)?;
        }
        Open::at(&self.options)
    }

    fn path(&self, index: u32) -> PathBuf {
        let mut path = self.options.path.clone().into_os_string();
        if index > 0 {
            path.push(format!(".{index}"));
        }
        path.into()
    }
}

impl Open {
    fn at(options: &AuditFileOptions) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&options.path)?;
        let size = file.metadata()?.len();
        Ok(Self { file, size })
    }
}

impl fmt::Display for RotatedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.options.path.display().fmt(f)
    }
}
