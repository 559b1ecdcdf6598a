//! Engines that hang, die, or are not what their names say.

use std::time::{Duration, Instant};

use crate::messages::{EMPTY_DOCKER, docker};
use crate::run::{Answer, Stage};

/// A program that sleeps whatever it is asked.
const SLEEPS: &str = "/usr/bin/sleep 600\n";
/// A docker whose daemon does not answer.
const HANGS: &str =
    "[ \"$1\" = -v ] && echo 'Docker version 29.0.2, build x' && exit\n/usr/bin/sleep 600\n";
/// A docker without a daemon.
const NO_DAEMON: &str = "[ \"$1\" = -v ] && echo 'Docker version 29.0.2, build x' && exit\n\
    echo 'Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?' >&2\nexit 1\n";
/// A docker that is not this user's to use.
const DENIES: &str = "[ \"$1\" = -v ] && echo 'Docker version 29.0.2, build x' && exit\n\
    echo 'permission denied while trying to connect to the Docker daemon socket at unix:///x' >&2\nexit 1\n";
/// Podman under the name of docker.
const PODMAN: &str = "case \"$1\" in
-v) echo 'podman version 5.4.2' ;;
info) echo '{\"host\":{\"cgroupVersion\":\"v2\"},\"version\":{\"Version\":\"5.4.2\"}}' ;;
esac\n";

/// Within this time a cause is told, also on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(30);

fn run_soon(stage: &Stage, arguments: &[&str]) -> Answer {
    let began = Instant::now();
    let answer = stage.run(arguments);
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    answer
}

fn stage(docker: &str) -> Stage {
    let stage = Stage::new();
    stage.program("docker", docker);
    stage
}

#[test]
fn a_daemon_that_hangs_does_not_make_commands_hang() {
    let stage = stage(HANGS);
    for command in [
        &["get", "clusters"][..],
        &["delete", "cluster"],
        &["create", "cluster"],
    ] {
        let answer = run_soon(&stage, &[&["--provider", "docker"], command].concat());
        assert_eq!(answer.code, 1, "{answer:#?}");
        let said = &answer.stderr;
        assert!(said.contains("docker does not answer: \"docker "), "{said}");
        let hint = "\nhint: see `systemctl status docker`, then `sudo systemctl restart docker`";
        assert!(said.contains(hint), "{said}");
    }
}

#[test]
fn a_client_that_sleeps_is_passed_over() {
    let answer = run_soon(&stage(SLEEPS), &["get", "clusters"]);
    assert_eq!(answer.code, 0, "{answer:#?}");
    assert_eq!(
        answer.stderr,
        "using native, as no container engine answers: docker: does not answer; \
         nerdctl, finch, podman: not installed\nNo kind clusters found.\n"
    );
}

#[test]
fn an_engine_that_hangs_and_is_passed_over_is_told() {
    let stage = stage(HANGS);
    stage.program("podman", PODMAN);
    let answer = run_soon(&stage, &["get", "clusters"]);
    let told = "using podman, the first that answers; docker: does not answer; nerdctl, finch: not installed\n";
    assert!(answer.stderr.starts_with(told), "{answer:#?}");
}

#[test]
fn an_engine_that_hangs_and_is_passed_over_is_told_by_a_creation() {
    let stage = stage(HANGS);
    stage.program("podman", PODMAN);
    let answer = run_soon(&stage, &["create", "cluster"]);
    let told = "using podman, the first that answers; docker: does not answer; nerdctl, finch: not installed\n";
    assert!(answer.stderr.starts_with(told), "{answer:#?}");
}

#[test]
fn a_docker_that_denies_this_user_is_told_with_what_mends_it() {
    let stage = stage(DENIES);
    stage.program("podman", PODMAN);
    let answer = stage.run(&["get", "clusters"]);
    let told = "using podman, the first that answers; docker: permission denied: join the group that may use the \
                engine (`sudo usermod -aG docker $USER`, then log in again), or run kind with sudo; nerdctl, finch: \
                not installed\n";
    assert!(answer.stderr.starts_with(told), "{answer:#?}");
}

#[test]
fn a_docker_that_a_variable_leads_to_is_taken_whatever_it_says() {
    for (variable, docker, said) in [
        ("DOCKER_HOST", DENIES, "permission denied while trying"),
        (
            "DOCKER_CONTEXT",
            NO_DAEMON,
            "Cannot connect to the Docker daemon",
        ),
    ] {
        let stage = stage(docker).with(variable, "unix:///x");
        stage.program("podman", PODMAN);
        let answer = stage.run(&["get", "clusters", "-v", "1"]);
        assert_eq!(answer.code, 1, "{answer:#?}");
        let told = format!("using docker, as {variable} is set");
        assert!(answer.stderr.contains(&told), "{answer:#?}");
        assert!(answer.stderr.contains(said), "{answer:#?}");
        assert!(answer.stderr.contains("\nhint: "), "{answer:#?}");
        let engine = stage.run(&["doctor"]).stdout;
        assert!(engine.starts_with(" ✗ docker: "), "{engine}");
    }
}

#[test]
fn a_variable_for_docker_says_nothing_where_docker_is_another_program() {
    let stage = stage(PODMAN).with("DOCKER_HOST", "unix:///x");
    stage.program("podman", PODMAN);
    let answer = stage.run(&["get", "clusters"]);
    let said = "enabling experimental podman provider\nNo kind clusters found.\n";
    assert_eq!(answer.stderr, said);
}

#[test]
fn a_dry_run_asks_each_engine_once() {
    let stage = Stage::new();
    let asked = stage.path("asked");
    let note = format!("echo \"$*\" >>{}\n", asked.display());
    stage.program("docker", &format!("{note}{NO_DAEMON}"));
    std::fs::create_dir(stage.path("state")).unwrap();
    let answer = stage.run(&["create", "cluster", "--dry-run"]);
    assert_eq!(answer.code, 0, "{answer:#?}");
    let asked = std::fs::read_to_string(asked).unwrap();
    assert_eq!(
        asked.lines().filter(|line| *line == "-v").count(),
        1,
        "{asked}"
    );
}

#[test]
fn the_last_resort_is_told_with_why_others_were_not_taken() {
    let answer = stage(NO_DAEMON).run(&["get", "clusters"]);
    assert_eq!(
        answer.stderr,
        "using native, as no container engine answers: docker: Cannot connect to the Docker daemon at unix:///x. Is \
         the docker daemon running?; nerdctl, finch, podman: not installed\nNo kind clusters found.\n"
    );
}

#[test]
fn the_engine_that_was_taken_is_told_with_more_verbosity() {
    let stage = stage(NO_DAEMON);
    stage.program("podman", PODMAN);
    let quiet = stage.run(&["get", "clusters"]);
    let said = "enabling experimental podman provider\nNo kind clusters found.\n";
    assert_eq!(quiet.stderr, said);
    let answer = stage.run(&["get", "clusters", "-v", "1"]);
    let told = "using podman, the first that answers; docker: Cannot connect to the Docker daemon";
    assert!(answer.stderr.contains(told), "{answer:#?}");
}

#[test]
fn an_engine_whose_info_fails_is_not_taken() {
    let stage = docker();
    stage.program("docker", NO_DAEMON);
    stage.program(
        "podman",
        "[ \"$1\" = -v ] && echo 'podman version 5.4.2' && exit\nexit 125\n",
    );
    let answer = stage.run(&["get", "clusters"]);
    assert!(answer.stderr.starts_with("using native, "), "{answer:#?}");
}

#[test]
fn podman_under_the_name_of_docker_is_podman() {
    let stage = stage(PODMAN);
    let said = "enabling experimental podman provider\nNo kind clusters found.\n";
    for choice in [&["--provider", "docker"][..], &[]] {
        let answer = stage.run(&[choice, &["get", "clusters"]].concat());
        assert_eq!(answer.stderr, said, "{answer:#?}");
    }
}

/// A docker of [`EMPTY_DOCKER`] that hangs or is gone from the first node on.
fn breaking_docker(stage: &Stage, broken: &str) {
    let mark = stage.path("broken");
    let mark = mark.display();
    let script = format!(
        "[ \"$1\" = create ] && : >{mark}\nif [ -e {mark} ]; then\n{broken}\nfi\n{EMPTY_DOCKER}"
    );
    stage.program("docker", &script);
}

#[test]
fn an_engine_that_hangs_in_mid_creation_is_the_cause() {
    let stage = docker();
    breaking_docker(&stage, SLEEPS);
    let answer = run_soon(&stage, &["--provider", "docker", "create", "cluster"]);
    assert_eq!(answer.code, 1);
    let error = answer.stderr.split_once("ERROR: ").unwrap().1;
    let first: Vec<_> = error.lines().take(5).collect();
    let first = first.join("\n");
    assert!(
        first.contains("docker does not answer: \"docker create "),
        "{first}"
    );
    assert!(first.contains("hint: "), "{first}");
}

#[test]
fn an_engine_that_is_gone_in_mid_creation_is_the_cause() {
    let stage = docker();
    let gone = "echo 'Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?' >&2; exit 1";
    breaking_docker(&stage, gone);
    let answer = run_soon(&stage, &["--provider", "docker", "create", "cluster"]);
    assert_eq!(answer.code, 1);
    let error = answer.stderr.split_once("ERROR: ").unwrap().1;
    assert!(
        error.contains("Cannot connect to the Docker daemon"),
        "{error}"
    );
    assert!(error.contains("\nhint: start the engine"), "{error}");
}

#[test]
fn a_network_with_addresses_of_pods_is_refused() {
    let stage = docker();
    let script = EMPTY_DOCKER.replace("172.18.0.0/16", "10.244.0.0/16");
    stage.program("docker", &script);
    let answer = stage.run(&["--provider", "docker", "create", "cluster"]);
    let said = "network \"kind\" of the nodes has the addresses 10.244.0.0/16, and pods of the cluster would have \
                10.244.0.0/24";
    assert!(answer.stderr.contains(said), "{answer:#?}");
}

#[test]
fn strange_json_of_a_network_is_named() {
    let stage = docker();
    for strange in ["null", "{}"] {
        let answer = format!("\"network inspect\") echo '{strange}' ;;\n\"network inspect\")");
        let script = EMPTY_DOCKER.replacen("\"network inspect\")", &answer, 1);
        stage.program("docker", &script);
        let answer = stage.run(&["--provider", "docker", "create", "cluster"]);
        let said = "docker tells of a network what cannot be read: it is no list of networks";
        assert!(answer.stderr.contains(said), "{answer:#?}");
    }
}
