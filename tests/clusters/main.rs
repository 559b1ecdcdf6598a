//! The whole way on a bare host, the same on every engine: `kind create cluster` with a node image built
//! from Debian's packages, real Kubernetes, real pods, real traffic, and nothing left at the end.
//!
//! `cargo xtask test` runs it; it needs root, `kubectl`, docker and podman, and what [`ImageInputs`] names.
//! The tests of an engine run in the order of [`tests`] and share one cluster. `KIND_E2E_ENGINE` and a
//! filter like `docker::` choose among them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod balanced;
mod cluster;
mod corefile;
mod doctor;
mod engines;
mod families;
mod faults;
mod fields;
mod images;
mod inside;
mod interrupts;
mod isolation;
mod json;
mod loading;
mod mixed;
mod names;
mod network;
mod networks;
mod ordinary;
mod original;
mod own;
mod packed;
mod pages;
mod published;
mod published_manifests;
mod pulled;
mod refusals;
mod secrets;
mod seeds;
mod several;
mod volumes;
mod workloads;
mod world;

use std::process::ExitCode;

use kind_e2e::{DIRECTORY, ENGINE, Engine, Shared, is_ordinary_user};
use libtest_mimic::{Arguments, Trial};

use balanced::*;
use cluster::*;
use corefile::*;
use doctor::*;
use families::*;
use faults::*;
use fields::*;
use images::*;
use interrupts::*;
use isolation::*;
use json::*;
use loading::*;
use mixed::*;
use network::*;
use networks::*;
use ordinary::*;
use original::*;
use own::*;
use packed::*;
use published::*;
use pulled::*;
use refusals::*;
use secrets::*;
use seeds::*;
use several::*;
use volumes::*;
use workloads::*;
use world::{ImageInputs, World};

type Test = fn(&World);

/// The tests by their names.
macro_rules! named {
    ($($test:ident),* $(,)?) => { [$((stringify!($test), $test as Test)),*] };
}

/// What the native engine refuses before anything is made.
const REFUSALS: &[(&str, Test)] = &named![
    a_host_without_nft_is_told_so,
    a_full_disk_is_told_before_anything_is_made,
    a_kubeconfig_on_a_full_disk_is_told_before_anything_is_made,
];

/// On every engine; most in one cluster.
const SHARED: &[(&str, Test)] = &named![
    create_reports_every_phase,
    what_is_called_ready_runs,
    the_node_is_ready,
    every_pod_of_kube_system_runs,
    doctor_finds_a_running_cluster_well,
    doctor_knows_the_engine_of_the_host,
    kube_proxy_has_the_programs_of_every_mode,
    unpacked_images_are_not_copied,
    kubeconfig_commands_agree,
    pods_answer_by_dns_name,
    the_host_reaches_a_node_port,
    dns_knows_services_and_pods,
    edits_of_the_corefile_count,
    pods_reach_the_outside,
    network_policies_are_enforced,
    a_load_balancer_is_reached_from_the_host,
    a_service_goes_when_its_address_is_taken_back,
    addresses_that_no_service_has_are_refused,
    the_nodes_network_is_set_whatever_the_host_has,
    a_volume_outlives_its_pod,
    a_volume_is_kept_if_its_class_says_so,
    claims_are_told_what_is_wrong,
    an_immediate_claim_waits_for_no_pod,
    a_mount_is_shared_with_the_host,
    logs_exec_and_port_forward_work,
    logs_are_exported,
    nothing_printed_or_exported_holds_a_secret,
    results_for_programs_fit_their_schema,
    only_missing_layers_are_sent,
    archives_are_loaded_in_every_form,
    the_nodes_platform_is_loaded,
    a_damaged_archive_leaves_no_name,
    an_archive_without_names_is_called_by_its_id,
    an_interrupted_create_cleans_up,
    a_second_interrupt_tells_what_is_left,
    an_interrupted_load_can_be_repeated,
    an_interrupted_export_of_logs_tells_so,
];

/// Beside those on the native engine.
const NATIVE: &[(&str, Test)] = &named![
    images_of_the_store_are_loaded,
    what_no_cluster_uses_is_removed,
    what_cannot_heal_ends_a_creation_at_once,
    a_killed_create_can_be_deleted,
    of_two_creates_at_once_one_wins,
    a_dead_cluster_can_be_deleted,
    a_build_tells_its_image,
    a_second_create_builds_nothing,
    two_nodes_reach_each_other,
    every_field_of_ours_is_honoured,
    pods_of_two_nodes_talk_over_both_families,
    host_ports_are_reached,
    pods_of_both_families_reach_the_outside,
    pods_have_the_nodes_link_size,
    policies_hold_between_nodes,
    policies_hold_for_what_pods_send,
    a_pod_follows_its_volume,
    an_immediate_claim_gets_a_node_of_its_class,
    nodes_with_its_pods_share_a_service,
    a_service_keeps_its_addresses_when_its_node_dies,
    two_nodes_are_deleted,
    nodes_have_images_of_their_own,
    three_deletions_at_once_all_succeed,
    a_cluster_of_ipv6_and_ipvs_works,
    a_network_of_the_users_own_works,
    a_published_images_manifests_are_applied,
    packed_images_are_unpacked_once,
    a_built_image_is_pushed_and_pulled,
];

/// Beside those on engines with containers.
const OTHERS: &[(&str, Test)] = &named![
    an_image_of_the_engine_is_loaded,
    an_image_is_found_by_its_id_and_its_short_name,
    a_node_has_its_files_whoever_starts_it,
    deleting_leaves_nothing,
    two_nodes_reach_each_other,
    every_field_of_ours_is_honoured,
    nodes_have_images_of_their_own,
    three_deletions_at_once_all_succeed,
    the_original_takes_our_cluster_over,
    we_take_a_cluster_of_the_original_over,
    ten_at_once_make_one_network,
];

/// Beside those, on docker.
const DOCKER: &[(&str, Test)] = &named![
    what_cannot_heal_ends_a_creation_at_once,
    of_two_networks_of_a_name_one_is_kept,
];

/// Last on engines with containers: it takes the node image away.
const LAST: &[(&str, Test)] = &named![a_built_image_is_pushed_and_pulled];

/// Beside those on docker, for a user who is not root; in one cluster.
const USERS: &[(&str, Test)] = &named![
    an_ordinary_user_creates_a_cluster,
    an_ordinary_user_loads_an_archive,
    an_ordinary_user_exports_logs,
    an_ordinary_user_stops_and_starts_a_cluster,
    a_home_that_cannot_be_written_is_told_before_anything_is_made,
    most_commands_need_no_home,
    what_root_has_left_is_told_or_put_aside,
    a_kubeconfig_of_sudo_is_the_users,
    what_needs_root_says_so_at_once,
    an_ordinary_user_deletes_a_cluster,
];

/// Those that make images on the host, or look into an engine's volumes, which only root can.
const AS_ROOT: [&str; 6] = [
    "unpacked_images_are_not_copied",
    "only_missing_layers_are_sent",
    "archives_are_loaded_in_every_form",
    "the_nodes_platform_is_loaded",
    "a_damaged_archive_leaves_no_name",
    "an_archive_without_names_is_called_by_its_id",
];

/// What an engine without root does not give: its networks and mounts are in namespaces that the host does not see
/// into, and the host's own address is one of theirs.
const ON_THE_HOST: [&str; 3] = [
    "pods_reach_the_outside",
    "a_load_balancer_is_reached_from_the_host",
    "a_mount_is_shared_with_the_host",
];

/// Whether the engine that answers runs without root itself.
fn is_rootless(engine: &str) -> bool {
    is_ordinary_user() && (engine == "podman" || std::env::var_os("DOCKER_HOST").is_some())
}

/// The tests of an engine in their order.
fn tests(engine: &str) -> Vec<(&'static str, Test)> {
    let mut all = named![errors_leave_nothing_behind].to_vec();
    match engine {
        "native" => {
            all.extend(REFUSALS);
            all.extend(SHARED);
            all.extend(NATIVE);
        }
        _ => {
            all.extend(SHARED);
            all.extend(OTHERS);
            if engine == "docker" {
                all.extend(DOCKER);
            }
            // Only root can be somebody else.
            if engine == "docker" && !is_ordinary_user() {
                all.extend(USERS);
            }
            all.extend(LAST);
        }
    }
    if is_ordinary_user() {
        all.retain(|(name, _)| !AS_ROOT.contains(name));
    }
    if is_rootless(engine) {
        all.retain(|(name, _)| !ON_THE_HOST.contains(name));
    }
    all
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let ingredients = ImageInputs::from_environment();
    let shared = Shared::new(World::new);
    match (std::env::var(ENGINE), ingredients) {
        (Ok(engine), Some(_)) if std::env::var_os(DIRECTORY).is_some() => {
            let trials = trials(&shared, &engine);
            shared.run(&engine, arguments, trials, World::end)
        }
        (engine, Some(ingredients)) if !arguments.list => {
            engines::run_each(engine.ok().as_deref(), &ingredients)
        }
        _ => {
            let names = Engine::NAMES.into_iter();
            let trials = names.flat_map(|engine| trials(&shared, engine));
            let trials = trials.map(|trial| trial.with_ignored_flag(true)).collect();
            libtest_mimic::run(&arguments, trials).exit_code()
        }
    }
}

fn trials(shared: &Shared<World>, engine: &str) -> Vec<Trial> {
    let tests = tests(engine).into_iter();
    tests
        .map(|(name, test)| shared.trial(engine, name, test))
        .collect()
}
