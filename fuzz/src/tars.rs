//! Tar streams made from bytes. Raw bytes are hardly ever a tar stream: every header has a checksum.

use tar::{Builder, EntryType, Header};

/// Reads what to do from bytes, and gives zeros when they end.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn byte(&mut self) -> u8 {
        let byte = self.0.first().copied().unwrap_or_default();
        self.0 = self.0.get(1..).unwrap_or_default();
        byte
    }

    pub(crate) fn pick<'t, T: ?Sized>(&mut self, choices: &[&'t T]) -> &'t T {
        choices[usize::from(self.byte()) % choices.len()]
    }

    pub(crate) fn take(&mut self, most: u8) -> &'a [u8] {
        let count = usize::from(self.byte().min(most)).min(self.0.len());
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Adds an entry whatever its names are: the header is written by hand, as an attacker would.
pub(crate) fn add(
    tar: &mut Builder<Vec<u8>>,
    kind: EntryType,
    name: &[u8],
    link: &[u8],
    content: &[u8],
) {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o755);
    header.set_size(content.len() as u64);
    if let Some(gnu) = header.as_gnu_mut() {
        let put = |field: &mut [u8], value: &[u8]| {
            let count = value.len().min(field.len());
            field[..count].copy_from_slice(&value[..count]);
        };
        put(&mut gnu.name, name);
        put(&mut gnu.linkname, link);
    }
    header.set_cksum();
    // Writing to memory does not fail.
    let _ = tar.append(&header, content);
}
