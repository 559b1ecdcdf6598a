//! `kind create cluster`

use kind::{Assumptions, CreateCluster, KubeconfigFiles, Source};

use super::flags::KUBECONFIG;
use super::timings::{TIMINGS, TRACE_FILE, Timings};
use crate::args::{ArgRule, Command, Flag, Kind, Matches};
use crate::config_file;
use crate::context::Context;
use crate::document::{CreatedCluster, Plan};
use crate::exit::{Exit, Failure};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    about: "Creates a local Kubernetes cluster whose nodes are containers",
    flags: &[
        Flag::text("config", "path to a kind config file"),
        Flag::text(
            "containerd-config",
            "with --dry-run: path to a file that stands in for the image's /etc/containerd/config.toml",
        ),
        Flag::switch(
            "dry-run",
            "print what would be made, with the exact files of every node, and make nothing",
        ),
        Flag::text(
            "from",
            "build the node image from this source, or use the one built before; \
             takes what `kind build node-image` takes, for example debian",
        ),
        Flag::text("image", "node image to use for booting the cluster"),
        KUBECONFIG,
        Flag::text(
            "kubernetes-version",
            "with --dry-run: Kubernetes version of the node images, instead of asking them",
        ),
        Flag::text(
            "name",
            "cluster name, overrides KIND_CLUSTER_NAME, config (default kind)",
        )
        .short('n'),
        Flag::switch(
            "retain",
            "retain nodes for debugging when cluster creation fails",
        ),
        TIMINGS,
        TRACE_FILE,
        Flag::new(
            "wait",
            Kind::Duration,
            "the length of time to wait for control plane node to be ready (default 0s). \
             Non-zero values should contain a corresponding time unit (e.g. 1s, 2m, 3h).",
        ),
    ],
    rule: ArgRule::None,
    action: Some(create_cluster),
    ..Command::new("cluster", "Creates a local Kubernetes cluster")
};

fn create_cluster(matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    if matches.switch("dry-run") {
        return dry_run(matches, context);
    }
    let files = context.kubeconfig_files(matches)?;
    let builder = context.builder(matches)?;
    let ui = &context.ui;
    let timings = Timings::open(matches)?;
    let created = build_options(matches, context, &files)
        .and_then(|options| {
            let provider = context.open(builder)?;
            let options = options.cancel(context.interruptible());
            Ok(provider.create(&options, &|event| {
                timings.record_event(&event);
                ui.event(event);
            })?)
        })
        .map_err(creating);
    // Of a failed creation too: what took long may be why.
    let timings = timings.show_timings(ui);
    let created = created?;
    ui.chat(&describe_usage(
        &created.context,
        matches.filled("kubeconfig"),
    ));
    ui.chat(choose_farewell());
    let created = CreatedCluster {
        name: created.name,
        context: created.context,
        timings: timings?,
    };
    ui.result(&created, String::new);
    Ok(Exit::Success)
}

/// Prints the plan. Nothing is asked for that only making needs.
fn dry_run(matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    let files = context.kubeconfig_files(matches)?;
    let builder = context.builder(matches)?;
    let plan = build_options(matches, context, &files)
        .and_then(|options| {
            let assumptions = read_assumptions(matches)?;
            Ok(builder.dry_run(&options, &assumptions, &|event| context.ui.event(event))?)
        })
        .map_err(creating)?;
    let text = plan.to_string();
    context.ui.result(&Plan::from(plan), || text);
    Ok(Exit::Success)
}

fn read_assumptions(matches: &Matches) -> Result<Assumptions, Failure> {
    let mut assumptions = Assumptions::new();
    if let Some(version) = matches.filled("kubernetes-version") {
        assumptions = assumptions.kubernetes_version(version);
    }
    if let Some(path) = matches.filled("containerd-config") {
        assumptions = assumptions.containerd_config(config_file::read_text(path).map_err(reading)?);
    }
    Ok(assumptions)
}

fn creating(failure: Failure) -> Failure {
    match failure {
        // It was created.
        Failure::Operation {
            error: error @ kind::Error::ClusterStays { .. },
            ..
        } => Failure::from(error),
        Failure::Operation { error, .. } => Failure::during("failed to create cluster")(error),
        other => other,
    }
}

fn build_options(
    matches: &Matches,
    context: &Context,
    files: &KubeconfigFiles,
) -> Result<CreateCluster, Failure> {
    let mut options = CreateCluster::new(files.clone());
    if matches.switch("retain") {
        options = options.retain();
    }
    if let Some(path) = matches.filled("config") {
        options = options.config_source(config_file::read_source(path).map_err(reading)?)?;
    }
    if let Some(name) = context.given_name(matches) {
        options = options.name(name);
    }
    if let Some(image) = matches.filled("image") {
        options = options.image(image);
    }
    if let Some(from) = matches.filled("from") {
        options = options.from(Source::parse(from)?);
    }
    if let Some(limit) = matches.wait_flag("wait") {
        options = options.wait(limit);
    }
    Ok(options)
}

/// Says what was tried when a file cannot be read.
fn reading(failure: Failure) -> Failure {
    match failure {
        Failure::File(text) => Failure::File(format!("failed to create cluster: {text}")),
        other => other,
    }
}

fn describe_usage(context: &str, kubeconfig: Option<&str>) -> String {
    let kubeconfig = match kubeconfig {
        Some(path) => format!(" --kubeconfig {}", shell_quoted(path)),
        None => String::new(),
    };
    format!(
        "You can now use your cluster with:\n\n\
         kubectl cluster-info --context {context}{kubeconfig}\n\n"
    )
}

/// Text as one word of a shell.
fn shell_quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\"'\"'"))
    }
}

/// A friendly last line; which one is left to the clock.
fn choose_farewell() -> &'static str {
    const ENDINGS: [&str; 4] = [
        "Have a nice day! 👋",
        "Thanks for using kind! 😊",
        "Not sure what to do next? 😅  Check out https://kind.sigs.k8s.io/docs/user/quick-start/",
        "Have a question, bug, or feature request? Let us know! https://kind.sigs.k8s.io/#community 🙂",
    ];
    let now = std::time::SystemTime::now();
    let nanos = now
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |age| age.subsec_micros());
    ENDINGS[nanos as usize % ENDINGS.len()]
}
