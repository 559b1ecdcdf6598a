//! Tars for tests, honest and hostile: headers are written byte by byte, as the tar writer refuses to
//! write what a hostile archive holds.

use tar::{EntryType, Header};

/// An archive in the making.
#[derive(Debug, Default)]
pub(crate) struct RawTar(Vec<u8>);

impl RawTar {
    pub(crate) fn file(self, name: &str, content: &[u8]) -> Self {
        self.entry(EntryType::Regular, name, "", 0o644, content)
    }

    pub(crate) fn directory(self, name: &str) -> Self {
        self.entry(EntryType::Directory, name, "", 0o755, b"")
    }

    pub(crate) fn symlink(self, name: &str, link: &str) -> Self {
        self.entry(EntryType::Symlink, name, link, 0o777, b"")
    }

    pub(crate) fn hard_link(self, name: &str, link: &str) -> Self {
        self.entry(EntryType::Link, name, link, 0o644, b"")
    }

    pub(crate) fn extension(self, records: &[(&str, &[u8])]) -> Self {
        let mut text = Vec::new();
        for (key, value) in records {
            // The length counts its own digits.
            let rest = key.len() + value.len() + 3;
            let length = (1..)
                .find(|n: &usize| n.to_string().len() + rest == *n)
                .unwrap();
            text.extend_from_slice(format!("{length} {key}=").as_bytes());
            text.extend_from_slice(value);
            text.push(b'\n');
        }
        self.entry(EntryType::XHeader, "extension", "", 0o644, &text)
    }

    pub(crate) fn entry(
        mut self,
        kind: EntryType,
        name: &str,
        link: &str,
        mode: u32,
        content: &[u8],
    ) -> Self {
        let mut header = Header::new_gnu();
        let old = header.as_old_mut();
        let (name, link) = (name.as_bytes(), link.as_bytes());
        let (name, link) = (&name[..name.len().min(99)], &link[..link.len().min(99)]);
        old.name[..name.len()].copy_from_slice(name);
        old.linkname[..link.len()].copy_from_slice(link);
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(rustix::process::geteuid().as_raw().into());
        header.set_gid(rustix::process::getegid().as_raw().into());
        header.set_mtime(1_700_000_000);
        header.set_size(content.len() as u64);
        header.set_device_major(1).unwrap();
        header.set_device_minor(3).unwrap();
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}
