//! What an ordinary program never asks of the kernel, refused for good: ways into parts of it in which faults are found,
//! and which need no capability.

use std::io;

use libc::{
    BPF_ABS, BPF_ALU, BPF_AND, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W,
    SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO, SECCOMP_RET_KILL_PROCESS, sock_filter, sock_fprog,
};

/// The system calls that are refused. `clone` is not among them: threads need it.
const REFUSED: [libc::c_long; 33] = [
    // Other processes, and namespaces in which a user is root.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    libc::SYS_personality,
    // Programs in the kernel, and queues of calls that pass no filter.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_userfaultfd,
    // Keys.
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // Filesystems.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    // The kernel itself.
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
];
/// Flags of `clone` that make namespaces.
const NAMESPACES: libc::c_int = libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP;

/// The architecture, as the kernel numbers it; calls of another one have other numbers.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;
/// From here on x86-64 has the calls of its variant with short pointers; no other architecture gets that far.
const VARIANTS: u32 = 0x4000_0000;

/// Places in what a filter sees: the number of the call, the architecture, and the lower half of the first argument.
const NUMBER: u32 = 0;
const ARCHITECTURE_AT: u32 = 4;
const FIRST_ARGUMENT: u32 = 16;

/// Refuses the calling thread, and what it executes and starts, the calls above for ever. Privileges must be given up
/// before. A kernel that was built without filters goes on without.
pub fn refuse_rare_calls() -> io::Result<()> {
    install_filter(&mut filter())
}

fn install_filter(filter: &mut [sock_filter]) -> io::Result<()> {
    let program = sock_fprog {
        len: u16::try_from(filter.len()).unwrap_or(u16::MAX),
        filter: filter.as_mut_ptr(),
    };
    // SAFETY: the kernel copies the filter, which `program` describes and which lives until the call returns.
    let result = unsafe {
        libc::prctl(
            libc::PR_SET_SECCOMP,
            libc::c_ulong::from(libc::SECCOMP_MODE_FILTER),
            &raw const program,
        )
    };
    match (result, io::Error::last_os_error()) {
        (0, _) => Ok(()),
        (_, error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(()),
        (_, error) => Err(error),
    }
}

/// The filter, as the kernel's small machine runs it.
fn filter() -> Vec<sock_filter> {
    let mut filter = vec![
        load(ARCHITECTURE_AT),
        step(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, (1, 0)),
        step(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, (0, 0)),
        load(NUMBER),
        step(BPF_JMP | BPF_JGE | BPF_K, VARIANTS, (0, 1)),
        refuse(libc::ENOSYS),
    ];
    for call in REFUSED {
        filter.extend([unless(call, 1), refuse(libc::EPERM)]);
    }
    // Its flags are where a filter cannot look. Whoever hears that there is no such call takes the older one.
    filter.extend([unless(libc::SYS_clone3, 1), refuse(libc::ENOSYS)]);
    filter.extend([
        unless(libc::SYS_clone, 4),
        load(FIRST_ARGUMENT),
        step(
            BPF_ALU | BPF_AND | BPF_K,
            NAMESPACES.cast_unsigned(),
            (0, 0),
        ),
        step(BPF_JMP | BPF_JEQ | BPF_K, 0, (1, 0)),
        refuse(libc::EPERM),
        step(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, (0, 0)),
    ]);
    filter
}

/// Loads a word of what the filter sees.
fn load(place: u32) -> sock_filter {
    step(BPF_LD | BPF_W | BPF_ABS, place, (0, 0))
}

/// Leaves out the next steps if the loaded word is not the number of that call.
fn unless(call: libc::c_long, steps: u8) -> sock_filter {
    let number = u32::try_from(call).unwrap_or(u32::MAX);
    step(BPF_JMP | BPF_JEQ | BPF_K, number, (0, steps))
}

fn refuse(error: libc::c_int) -> sock_filter {
    let errno = SECCOMP_RET_ERRNO | error.cast_unsigned();
    step(BPF_RET | BPF_K, errno, (0, 0))
}

/// One step; `jumps` are how many are left out if a comparison holds, and if not.
fn step(code: u32, operand: u32, jumps: (u8, u8)) -> sock_filter {
    sock_filter {
        code: u16::try_from(code).unwrap_or_default(),
        jt: jumps.0,
        jf: jumps.1,
        k: operand,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Output};

    use super::*;

    /// What a shell says that is refused those calls.
    fn confined(script: &str) -> Output {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let mut filter = filter();
        // SAFETY: between fork and exec only async-signal-safe calls are made: two system calls.
        unsafe {
            command.pre_exec(move || {
                rustix::thread::set_no_new_privs(true)?;
                install_filter(&mut filter)
            });
        }
        command.output().unwrap()
    }

    #[test]
    fn namespaces_are_refused_and_ordinary_work_is_not() {
        let output =
            confined("echo work | cat; unshare --user true; grep Seccomp: /proc/self/status");
        let told = String::from_utf8_lossy(&output.stdout);
        assert_eq!(told, "work\nSeccomp:\t2\n");
        let refused = String::from_utf8_lossy(&output.stderr);
        assert!(refused.contains("Operation not permitted"), "{refused}");
    }

    #[test]
    fn every_call_is_known_to_the_architecture() {
        assert!(REFUSED.iter().all(|call| (0..1024).contains(call)));
        // The kernel takes no longer one.
        assert!(filter().len() < 4096);
    }
}
