//! What the program says about its own command line, and how a sub-command ends that cannot go on. In: a sentence.
//! Out: the same on stderr, and an exit code.

use std::io::Write;
use std::process::ExitCode;

/// Prints an answer the caller asked for.
pub(crate) fn print_answer(text: &str) -> ExitCode {
    match writeln!(std::io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Says what went wrong.
pub(crate) fn exit_with_failure(problem: &str) -> ExitCode {
    // Nothing is left to do when not even this can be written.
    let _ = writeln!(std::io::stderr(), "kind-node: {problem}");
    ExitCode::FAILURE
}

/// Says what is wrong with the command line.
pub(crate) fn exit_with_usage(problem: &str) -> ExitCode {
    // Nothing is left to do when not even this can be written.
    let _ = writeln!(std::io::stderr(), "kind-node: {problem}\n\n{USAGE}");
    ExitCode::from(2)
}

/// The sub-commands.
pub(crate) const USAGE: &str = "\
usage: kind-node <sub-command>

  pause           hold a pod's namespaces and reap its orphans
  request         take files and steps on stdin, print events on stdout
  boot            prepare the node, then become the given command
  seed            put the node's files in place, then become the given command
  assign-pod-cidrs  give new nodes their pod addresses
  await-server    wait until the API server of a new cluster takes objects
  make-account    make the account of ordinary pods
  forget-token    remove the bootstrap token of that name
  make-objects    make the objects of the list on stdin
  await-pods      wait until a new cluster has a pod
  await-nodes     wait until nodes, their pods and Services' addresses work
  remove-marks    take marks of a control plane off all nodes
  await-registration  wait until the cluster knows this node
  await-ready     wait until this node is well since its start
  examine         tell as JSON how this node is
  note-stop       call all nodes of the cluster not Ready
  set-sysctls     set what the node's network needs of the kernel
  show-limits     show the kubelet what the node may use as its machine
  finalize-kubelet  use the certificate that the kubelet rotates
  load-balancer   lead connections to the control planes that are ready
  network         the pod network of this node
  dns             the cluster's name service
  storage         volumes on this node's disk
  services        addresses for Services of type LoadBalancer
  crictl          ask containerd, as the program of that name does
  --version       print the version";
