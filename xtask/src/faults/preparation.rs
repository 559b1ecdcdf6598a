//! What is done to a host, an engine or a node so that it has a fault.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::Command;

use kind_e2e::{ADDRESS, Disk};

use super::fault::Prepared;
use super::ground::Ground;
use crate::Failure;
use crate::shell;

/// The port of the host that configurations name.
const PORT: u16 = 34567;

/// Somebody listens on that port.
pub(super) fn port_taken(_: &Ground, command: Command) -> Result<Prepared, Failure> {
    Ok(Prepared {
        command,
        held: Box::new(TcpListener::bind((Ipv4Addr::LOCALHOST, PORT))?),
    })
}

/// What is asked for images on that port is no registry. It answers until this program ends.
pub(super) fn registry_without_images(_: &Ground, command: Command) -> Result<Prepared, Failure> {
    let listener = TcpListener::bind((ADDRESS, PORT))?;
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.0 404 Not Found\r\n\r\n");
        }
    });
    Ok(Prepared {
        command,
        held: Box::new(()),
    })
}

/// A program that is gone has left the lock of the kubeconfig.
pub(super) fn kubeconfig_lock_left(ground: &Ground, _: Command) -> Result<Prepared, Failure> {
    let lock = ground.kind.kubeconfig().with_extension("lock");
    if let Some(directory) = lock.parent() {
        fs::create_dir_all(directory)?;
    }
    File::create(&lock)?;
    Ok(Prepared {
        command: ground.command(&["doctor"]),
        held: Box::new(Removed(lock)),
    })
}

/// The user has no instance of inotify left, and may not raise the limit. It is that of a namespace: the host's stays as
/// it is.
pub(super) fn no_inotify_instance(_: &Ground, command: Command) -> Result<Prepared, Failure> {
    let script = "echo 0 > /proc/sys/user/max_inotify_instances \
        && mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys";
    let namespaces = ["--user", "--map-root-user", "--net", "--mount"];
    Ok(Prepared {
        command: wrap(&command, &namespaces, script),
        held: Box::new(()),
    })
}

/// The disk that nodes would be on is full.
pub(super) fn full_disk(ground: &Ground, mut command: Command) -> Result<Prepared, Failure> {
    let disk = Disk::new(&ground.directory);
    let filler = disk.path().join("filler");
    shell::output(
        Command::new("fallocate")
            .args(["--length", "120MiB"])
            .arg(filler),
    )?;
    command.env("KIND_STATE_DIR", disk.path());
    Ok(Prepared {
        command,
        held: Box::new(disk),
    })
}

/// No daemon is where the engine's client looks for it.
pub(super) fn engine_gone(_: &Ground, mut command: Command) -> Result<Prepared, Failure> {
    command.env("DOCKER_HOST", "unix:///run/nobody.sock");
    Ok(Prepared {
        command,
        held: Box::new(()),
    })
}

/// The kernel does not count processes, as far as `kind doctor` sees.
pub(super) fn no_controller_of_processes(ground: &Ground, _: Command) -> Result<Prepared, Failure> {
    let cgroups = fs::read_to_string("/proc/cgroups")?;
    let others = cgroups.lines().filter(|line| !line.starts_with("pids"));
    let path = ground.directory.join("cgroups");
    fs::write(&path, others.collect::<Vec<_>>().join("\n"))?;
    let script = format!("mount --bind {} /proc/cgroups", path.display());
    Ok(Prepared {
        command: wrap(&ground.command(&["doctor"]), &["--mount"], &script),
        held: Box::new(()),
    })
}

/// The command in namespaces of its own, after a script that changes them.
fn wrap(command: &Command, namespaces: &[&str], script: &str) -> Command {
    let mut outer = Command::new("unshare");
    outer
        .args(namespaces)
        .args(["/bin/sh", "-c"])
        .arg(format!("{script} && exec \"$@\""))
        .arg("sh")
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    outer
}

/// A file that goes with this value.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
