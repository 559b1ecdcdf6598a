//! Room on a disk: a part of it stays free, whatever comes from outside.

use std::io::{self, Write};
use std::os::fd::AsFd;

/// Bytes that stay free on a large disk.
const FLOOR: u64 = 256 << 20;
/// On a small one, this part of it does.
const SMALL_PART: u64 = 20;
/// The disk is asked once for so many bytes.
const INTERVAL: u64 = 64 << 20;
/// What an entry of a directory takes, whatever is in it.
const ENTRY: u64 = 4 << 10;

/// Counts what is written to a disk, and says when it is too much.
#[derive(Debug)]
pub(crate) struct Room<F> {
    place: F,
    since_asked: u64,
}

impl<F: AsFd> Room<F> {
    /// On the disk that has this file.
    pub(crate) fn new(place: F) -> Self {
        Self {
            place,
            since_asked: 0,
        }
    }

    /// Counts an entry with so many bytes that is about to be written.
    pub(crate) fn take_entry(&mut self, bytes: u64) -> io::Result<()> {
        self.take_bytes(bytes.saturating_add(ENTRY))
    }

    /// Counts bytes that are about to be written.
    pub(crate) fn take_bytes(&mut self, bytes: u64) -> io::Result<()> {
        self.since_asked = self.since_asked.saturating_add(bytes);
        if self.since_asked < INTERVAL {
            return Ok(());
        }
        self.since_asked = 0;
        let disk = rustix::fs::fstatvfs(&self.place)?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        check_floor(free, disk.f_blocks.saturating_mul(disk.f_frsize), bytes)
    }
}

fn check_floor(free: u64, all: u64, bytes: u64) -> io::Result<()> {
    let floor = FLOOR.min(all / SMALL_PART);
    if free >= bytes.saturating_add(floor) {
        return Ok(());
    }
    let text = format!("less than {} MiB of the disk would stay free", floor >> 20);
    Err(io::Error::new(io::ErrorKind::StorageFull, text))
}

/// Writes to a file for as long as there is room.
pub(crate) struct RoomWriter<'a, F: AsFd> {
    file: &'a F,
    room: Room<&'a F>,
}

impl<'a, F: AsFd> RoomWriter<'a, F> {
    pub(crate) fn new(file: &'a F) -> Self {
        Self {
            file,
            room: Room::new(file),
        }
    }
}

impl<F: AsFd> Write for RoomWriter<'_, F>
where
    for<'b> &'b F: Write,
{
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.room.take_bytes(bytes.len() as u64)?;
        let mut file = self.file;
        file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn a_part_of_a_disk_stays_free() {
        check_floor(GIB, 100 * GIB, GIB - FLOOR).unwrap();
        let error = check_floor(GIB, 100 * GIB, GIB - FLOOR + 1).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(error.to_string().contains("256 MiB"), "{error}");
        // A disk of a hundred MiB can be filled almost whole.
        check_floor(100 << 20, 100 << 20, 95 << 20).unwrap();
        assert!(check_floor(100 << 20, 100 << 20, 96 << 20).is_err());
        assert!(check_floor(GIB, 100 * GIB, u64::MAX).is_err());
    }

    #[test]
    fn the_disk_is_asked_before_much_is_written() {
        let file = tempfile::tempfile().unwrap();
        let mut room = Room::new(&file);
        room.take_entry(1).unwrap();
        assert!(room.take_entry(u64::MAX / 2).is_err());
        RoomWriter::new(&file).write_all(b"content").unwrap();
        assert_eq!(file.metadata().unwrap().len(), 7);
    }
}
