//! What is done to a host, an engine or a node so that it has a fault.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use kind_e2e::{ADDRESS, Disk};

use super::fault::Prepared;
use super::ground::{CLUSTER, Ground};
use super::trial;
use crate::{Failure, shell};

/// The port of the host that configurations name.
const PORT: u16 = 34567;

/// Somebody listens on that port.
pub(super) fn port_taken(_: &Ground, command: Command) -> Result<Prepared, Failure> {
    Ok(Prepared {
        command,
        held: Box::new(TcpListener::bind((Ipv4Addr::LOCALHOST, PORT))?),
    })
}

/// The registry answers once it was asked for first.
static REGISTRY: OnceLock<()> = OnceLock::new();

/// What is asked for images on that port is a registry that has none, without encryption. It answers until this program
/// ends.
pub(super) fn registry_without_images(_: &Ground, command: Command) -> Result<Prepared, Failure> {
    if REGISTRY.set(()).is_ok() {
        answer_without_images(TcpListener::bind((ADDRESS, PORT))?);
    }
    Ok(Prepared {
        command,
        held: Box::new(()),
    })
}

fn answer_without_images(listener: TcpListener) {
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.0 404 Not Found\r\n\r\n");
        }
    });
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

/// The disk of the user's kubeconfig is full.
pub(super) fn full_kubeconfig_disk(
    ground: &Ground,
    mut command: Command,
) -> Result<Prepared, Failure> {
    let disk = Disk::with_size(&ground.directory, 4 << 20);
    let kubeconfig = disk.path().join("config");
    fs::write(&kubeconfig, "kind: Config\n")?;
    let mut filler = File::create(disk.path().join("filler"))?;
    while filler.write_all(&[0; 4096]).is_ok() {}
    command.env("KUBECONFIG", kubeconfig);
    Ok(Prepared {
        command,
        held: Box::new(disk),
    })
}

/// Takes all blocks that are free without writing them, and then what is freed meanwhile.
const FILL: &str = "\
fallocate --length \"$(df --output=avail --block-size=1 \"$1\" | tail -1)\" \"$1/filler\"
cat /dev/zero > \"$1/rest\"";

/// The disk that nodes are on fills up once the first one runs.
pub(super) fn disk_fills(ground: &Ground, mut command: Command) -> Result<Prepared, Failure> {
    let disk = Disk::with_size(&ground.directory, 3 << 30);
    let images = ground.kind.state().join("images");
    shell::output(Command::new("cp").arg("-a").arg(images).arg(disk.path()))?;
    let run = disk
        .path()
        .join("nodes")
        .join(ground.node())
        .join("run.json");
    let mut fill = Command::new("/bin/sh");
    fill.args(["-c", FILL, "fill"]).arg(disk.path());
    std::thread::spawn(move || {
        let deadline = Instant::now() + Duration::from_secs(120);
        while !run.exists() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        // It ends with a failure, where the disk does.
        let _ = fill.stderr(Stdio::null()).status();
    });
    command.env("KIND_STATE_DIR", disk.path());
    Ok(Prepared {
        command,
        held: Box::new(disk),
    })
}

/// What etcd has for its data is too small for its first file.
pub(super) fn small_etcd_disk(ground: &Ground, command: Command) -> Result<Prepared, Failure> {
    let place = ground.directory.join("etcd");
    fs::create_dir_all(&place)?;
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=16m,mode=0700", "small"]);
    shell::output(mount.arg(&place))?;
    Ok(Prepared {
        command,
        held: Box::new(Mounted(place)),
    })
}

/// A program for machines of another kind.
pub(super) fn program_of_another_machine(
    ground: &Ground,
    command: Command,
) -> Result<Prepared, Failure> {
    write_foreign_program(&ground.directory.join("foreign"))?;
    Ok(Prepared {
        command,
        held: Box::new(()),
    })
}

/// The beginning of an ELF file of 64 bits for a processor that is not this one.
fn write_foreign_program(path: &Path) -> Result<(), Failure> {
    const AARCH64: u16 = 183;
    const X86_64: u16 = 62;
    let machine = if cfg!(target_arch = "aarch64") {
        X86_64
    } else {
        AARCH64
    };
    let mut header = vec![
        0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0,
    ];
    header.extend(machine.to_le_bytes());
    header.resize(64, 0);
    fs::write(path, header)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// The cluster was stopped for longer than its certificates are valid.
pub(super) fn certificates_expired(ground: &Ground, create: Command) -> Result<Prepared, Failure> {
    restart_with_certificates(ground, create, ["20200101000000Z", "20210101000000Z"])
}

/// The clock was put back to a time before the certificates are valid.
pub(super) fn clock_put_back(ground: &Ground, create: Command) -> Result<Prepared, Failure> {
    restart_with_certificates(ground, create, ["20900101000000Z", "20910101000000Z"])
}

/// Makes a cluster, issues its certificates anew with other times, and stops it.
fn restart_with_certificates(
    ground: &Ground,
    create: Command,
    times: [&str; 2],
) -> Result<Prepared, Failure> {
    run_well(create)?;
    let mut reissue = Command::new("/bin/sh");
    reissue.args(["-c", include_str!("reissue.sh"), "reissue"]);
    shell::output(reissue.arg(ground.node_root()?).args(times))?;
    run_well(ground.command(&["stop", "cluster", "--name", CLUSTER]))?;
    Ok(Prepared {
        command: ground.command(&["start", "cluster", "--name", CLUSTER, "--wait", "2m"]),
        held: Box::new(()),
    })
}

fn run_well(command: Command) -> Result<(), Failure> {
    let ended = trial::run(command)?;
    if ended.code == Some(0) {
        return Ok(());
    }
    Err(format!("what comes before the fault fails:\n{}", ended.text).into())
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

/// A mount that goes with this value, also if a node still has it.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// A file that goes with this value.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
