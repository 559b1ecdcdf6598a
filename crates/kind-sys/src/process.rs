//! Processes: what to inherit from a parent, signals, waiting.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

pub use rustix::process::Pid;
use rustix::process::{Gid, Uid};
use rustix::process::{PidfdFlags, Signal, WaitIdOptions};
use rustix::thread::{
    CapabilitySet, CapabilitySets, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs, set_thread_groups,
    set_thread_res_gid, set_thread_res_uid,
};

/// Asks systemd, as the first process of a container, to shut down in order: SIGRTMIN+3.
pub const SHUTDOWN: i32 = 34 + 3;
/// Ends a process at once.
pub const KILL: i32 = libc::SIGKILL;

/// Lets the kernel kill the command's process when the thread that starts it ends.
pub fn die_with_parent(command: &mut Command) -> &mut Command {
    let parent = rustix::process::getpid();
    // SAFETY: between fork and exec only async-signal-safe calls are made: two system calls.
    unsafe {
        command.pre_exec(move || {
            rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
            // A parent in another pid namespace reads as none; there the signal alone has to do.
            match rustix::process::getppid() {
                Some(now) if now != parent => Err(io::ErrorKind::BrokenPipe.into()),
                _ => Ok(()),
            }
        })
    }
}

/// Makes the calling process, which has one thread, an ordinary user's for ever: what it executes next has no capability,
/// gains none, and is in no group but `user`'s own.
pub fn drop_privileges(user: u32) -> io::Result<()> {
    for capability in CapabilitySet::all().iter() {
        match remove_capability_from_bounding_set(capability) {
            // The kernel does not know it yet.
            Err(rustix::io::Errno::INVAL) => {}
            other => other?,
        }
    }
    clear_ambient_capability_set()?;
    set_thread_groups(&[])?;
    let (uid, gid) = (Uid::from_raw(user), Gid::from_raw(user));
    set_thread_res_gid(gid, gid, gid)?;
    set_thread_res_uid(uid, uid, uid)?;
    let none = CapabilitySet::empty();
    set_capabilities(
        None,
        CapabilitySets {
            effective: none,
            permitted: none,
            inheritable: none,
        },
    )?;
    Ok(set_no_new_privs(true)?)
}

/// Lets the command lead a session of its own whose controlling terminal is at `path`.
pub fn own_terminal<'a>(command: &'a mut Command, path: &Path) -> io::Result<&'a mut Command> {
    let terminal = crate::terminal::open(path)?;
    command
        .stdin(terminal.try_clone()?)
        .stdout(terminal.try_clone()?)
        .stderr(terminal.try_clone()?);
    // SAFETY: between fork and exec only async-signal-safe calls are made: setsid and one ioctl.
    unsafe {
        command.pre_exec(move || {
            rustix::process::setsid()?;
            Ok(rustix::process::ioctl_tiocsctty(&terminal)?)
        });
    }
    Ok(command)
}

/// Lets the command lead a session of its own, away from the caller's terminal, its signals and the
/// files it has open: a lock or a pipe of a script must not live on in a process that stays.
pub fn own_session(command: &mut Command) -> &mut Command {
    // SAFETY: between fork and exec two async-signal-safe calls are made: setsid and close_range, which
    // closes nothing before exec.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            // Kernels before 5.11 cannot; then files stay open, which nothing here depends on.
            libc::syscall(
                libc::SYS_close_range,
                3,
                u32::MAX,
                libc::CLOSE_RANGE_CLOEXEC,
            );
            Ok(())
        })
    }
}

/// A handle of a process that never turns into another one.
#[derive(Debug)]
pub struct Handle(OwnedFd);

impl Handle {
    /// The process of that id; an error if there is none.
    pub fn open(pid: Pid) -> io::Result<Self> {
        Ok(Self(rustix::process::pidfd_open(pid, PidfdFlags::empty())?))
    }

    /// Sends a signal by number. A process that has ended already is no error.
    pub fn signal(&self, number: i32) -> io::Result<()> {
        // SAFETY: pidfd_send_signal takes two integers, a null pointer that stands for "no details" and
        // no flags; the descriptor is open for as long as `self` lives.
        let result = unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                self.0.as_raw_fd(),
                number,
                std::ptr::null::<libc::siginfo_t>(),
                0,
            )
        };
        match result {
            0 => Ok(()),
            _ => match io::Error::last_os_error() {
                error if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
                error => Err(error),
            },
        }
    }

    /// Waits until the process ends, for at most `limit`; says whether it has.
    pub fn wait(&self, limit: std::time::Duration) -> io::Result<bool> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let deadline = std::time::Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            let timeout = Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            };
            match poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&timeout)) {
                Ok(count) => return Ok(count > 0),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Waits for the child `pid` to end; its exit code, or 128 and the signal that ended it.
pub fn wait_for_child(pid: Pid) -> io::Result<i32> {
    loop {
        match rustix::process::waitid(rustix::process::WaitId::Pid(pid), WaitIdOptions::EXITED) {
            Ok(Some(status)) => {
                let signal = status.terminating_signal().map(|signal| 128 + signal);
                return Ok(status.exit_status().or(signal).unwrap_or(-1));
            }
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// A process with that id, if the number can be one.
pub fn pid(number: i32) -> Option<Pid> {
    Pid::from_raw(number)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read;
    use std::os::unix::process::ExitStatusExt;
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::terminal::Terminal;

    #[test]
    fn a_child_dies_with_the_thread_that_started_it() {
        let (end, wait) = std::sync::mpsc::channel::<()>();
        let (tell, hear) = std::sync::mpsc::channel();
        let starter = thread::spawn(move || {
            let mut command = Command::new("sleep");
            let child = die_with_parent(command.arg("60")).spawn().unwrap();
            tell.send(child).unwrap();
            let _ = wait.recv();
        });
        let mut child = hear.recv().unwrap();
        let handle = Handle::open(Pid::from_child(&child)).unwrap();
        assert!(!handle.wait(Duration::from_millis(10)).unwrap());
        drop(end);
        starter.join().unwrap();
        assert!(handle.wait(Duration::from_secs(5)).unwrap());
        assert_eq!(child.wait().unwrap().signal(), Some(KILL));
    }

    #[test]
    fn a_terminal_controls_the_session_it_is_given_to() {
        let terminal = Terminal::open().unwrap();
        let script = "tty; : </dev/tty && echo it controls; \
                      read -r pid name state parent group session rest </proc/self/stat; \
                      test $pid = $session && echo and leads";
        let mut command = Command::new("sh");
        own_terminal(command.args(["-c", script]), &terminal.path).unwrap();
        let mut child = command.spawn().unwrap();
        // Reading ends when nobody holds the other end.
        drop(command);
        let mut shown = Vec::new();
        let _ = File::from(terminal.controller).read_to_end(&mut shown);
        assert!(child.wait().unwrap().success());
        let shown = String::from_utf8(shown).unwrap();
        let expected = format!(
            "{}\r\nit controls\r\nand leads\r\n",
            terminal.path.display()
        );
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_session_of_its_own_has_no_files_of_the_caller() {
        let (_reader, writer) = io::pipe().unwrap();
        rustix::io::fcntl_setfd(&writer, rustix::io::FdFlags::empty()).unwrap();
        let number = writer.as_raw_fd();
        let mut command = Command::new("test");
        command.args(["-e", &format!("/proc/self/fd/{number}")]);
        assert!(command.status().unwrap().success());
        assert!(!own_session(&mut command).status().unwrap().success());
    }

    #[test]
    fn a_handle_signals_and_waits() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let handle = Handle::open(Pid::from_child(&child)).unwrap();
        assert!(!handle.wait(Duration::from_millis(10)).unwrap());
        handle.signal(KILL).unwrap();
        assert!(handle.wait(Duration::from_secs(5)).unwrap());
        assert_eq!(wait_for_child(Pid::from_child(&child)).unwrap(), 128 + 9);
        handle.signal(KILL).unwrap();
        let _ = child.try_wait();
    }
}
