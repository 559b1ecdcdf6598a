//! Answers of real engines, shortened.

use super::*;
use crate::Code;

#[test]
fn docker_tells_everything() {
    let text = r#"{"CgroupDriver":"systemd","CgroupVersion":"2","MemoryLimit":true,"PidsLimit":true,
        "CPUShares":true,"SecurityOptions":["name=apparmor","name=seccomp,profile=default",
        "name=userns","name=rootless,x=y"],"ServerVersion":"28.2.2","Architecture":"x86_64",
        "Driver":"overlayfs","DriverStatus":[["driver-type","io.containerd.snapshotter.v1"],
        ["Backing Filesystem","xfs"]],"ServerErrors":null}"#;
    let info = parse_info(Flavor::Docker, text).unwrap();
    assert!(info.rootless && info.cgroup2 && info.containerd_images && info.user_namespaces);
    assert!(info.limits.are_complete() && info.parallel_creates);
    assert_eq!(info.architecture, "amd64");
    assert_eq!(info.backing_filesystem, "xfs");
    assert!(!parse_info(Flavor::Nerdctl, text).unwrap().parallel_creates);
}

#[test]
fn without_a_cgroup_driver_nothing_can_be_limited() {
    let text = r#"{"CgroupDriver":"none","MemoryLimit":true,"PidsLimit":true,"CPUShares":true}"#;
    assert_eq!(
        parse_info(Flavor::Docker, text).unwrap().limits,
        Limits::default()
    );
}

#[test]
fn a_client_without_a_daemon_is_an_error() {
    let text = r#"{"ID":"","Containers":0,"ServerErrors":["Cannot connect to the Docker daemon"]}"#;
    let error = parse_info(Flavor::Docker, text).unwrap_err();
    assert_eq!(error.code(), Code::NoDaemon);
    assert_eq!(error.to_string(), "Cannot connect to the Docker daemon");
    assert!(parse_info(Flavor::Docker, "no JSON").is_err());
}

#[test]
fn podmans_of_all_ages() {
    let text = |version: &str| {
        format!(
            r#"{{"host":{{"arch":"arm64","cgroupVersion":"v1","cgroupControllers":["memory","cpu"],
            "security":{{"rootless":true}}}},"store":{{"graphDriverName":"btrfs",
            "graphStatus":{{"Backing Filesystem":"btrfs"}}}},"version":{{"Version":"{version}"}}}}"#
        )
    };
    let info = parse_info(Flavor::Podman, &text("4.3.1")).unwrap();
    assert!(info.rootless && !info.cgroup2 && !info.limits.pids && info.limits.cpu);
    assert_eq!(
        (info.storage_driver.as_str(), info.warnings.len()),
        ("btrfs", 0)
    );
    let info = parse_info(Flavor::Podman, &text("3.4.4")).unwrap();
    assert!(info.limits.are_complete());
    assert_eq!(info.warnings, [NO_CONTROLLERS_WARNING]);
    assert_eq!(
        parse_info(Flavor::Podman, &text("2.2.1"))
            .unwrap()
            .warnings
            .len(),
        2
    );
    let error = parse_info(Flavor::Podman, &text("1.7.0")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "podman version \"1.7.0\" is too old, please upgrade to \"1.8.0\" or later"
    );
}

#[test]
fn versions_compare_by_number() {
    assert!(Version::parse("10.0.0") > Version::parse("v9.9.9"));
    assert_eq!(Version::parse("4.3.1-dev"), Some(Version(4, 3, 1)));
    assert_eq!(Version::parse("20.10.24+dfsg1"), Some(Version(20, 10, 24)));
    assert_eq!(Version::parse("5"), Some(Version(5, 0, 0)));
    assert_eq!(Version::parse("dev"), None);
}
