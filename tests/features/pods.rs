//! Pods with what their node's container runtime has to do for them.

use crate::images::{SAMPLE, with_files};
use crate::world::World;

/// A pod that sleeps: fields of the pod, and of its container, as JSON without the braces.
fn run(world: &World, name: &str, pod: &str, container: &str) {
    let manifest = format!(
        r#"{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "{name}"}}, "spec": {{
             "terminationGracePeriodSeconds": 0, {pod}
             "containers": [{{"name": "main", "imagePullPolicy": "Never",
               "command": ["/bin/sh", "-c", "sleep 100000"], {container}}}]}}}}"#
    );
    world.kind.apply(&manifest);
    let pod = format!("pod/{name}");
    let wait = ["wait", "--for=condition=Ready", "--timeout=90s", &pod];
    let ready = world.kind.ask(&wait);
    if ready.code != 0 {
        panic!("{ready:#?}\n{:#?}", world.kind.ask(&["describe", &pod]));
    }
}

fn inside(world: &World, pod: &str, script: &str) -> String {
    world.kind.shell(pod, script).expect(script)
}

pub(crate) fn root_in_a_pod_is_not_root_on_the_node(world: &World) {
    let pod = r#""hostUsers": false, "volumes": [{"name": "data", "emptyDir": {}}],"#;
    let container = format!(
        r#""image": "{SAMPLE}", "volumeMounts": [{{"name": "data", "mountPath": "/data"}}]"#
    );
    run(world, "userns", pod, &container);
    let map = inside(world, "userns", "cat /proc/self/uid_map");
    let numbers: Vec<u64> = map
        .split_whitespace()
        .map(|word| word.parse().unwrap())
        .collect();
    assert_eq!((numbers[0], numbers[2]), (0, 65536), "{map}");
    assert!(numbers[1] >= 65536, "{map}");
    // What is in the image and in volumes belongs to the pod's root all the same.
    let owners = "busybox id -u; touch /data/file; busybox stat -c %u /bin/busybox /data/file";
    assert_eq!(inside(world, "userns", owners), "0\n0\n0\n");
}

pub(crate) fn groups_of_the_image_are_left_out_when_strict(world: &World) {
    const IMAGE: &str = "docker.io/library/kind-groups:v1";
    let files = [
        (
            "etc/passwd",
            "root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n",
        ),
        ("etc/group", "root:x:0:\nuser:x:1000:\nmore:x:5000:user\n"),
    ];
    world.load(&with_files(world, IMAGE, &files));
    for (policy, groups) in [("Merge", "1000 4000 5000"), ("Strict", "1000 4000")] {
        let name = policy.to_lowercase();
        let pod = format!(
            r#""securityContext": {{"runAsUser": 1000, "runAsGroup": 1000, "supplementalGroups": [4000],
               "supplementalGroupsPolicy": "{policy}"}},"#
        );
        run(world, &name, &pod, &format!(r#""image": "{IMAGE}""#));
        let found = inside(world, &name, "busybox id -G");
        let mut found: Vec<_> = found.split_whitespace().collect();
        found.sort_unstable();
        assert_eq!(found.join(" "), groups, "{policy}");
    }
}

/// `/dev` of a node has `/dev/shm` mounted below it.
pub(crate) fn what_is_mounted_below_a_read_only_mount_is_read_only_too(world: &World) {
    let volumes = r#""volumes": [{"name": "dev", "hostPath": {"path": "/dev"}}],"#;
    for (name, recursive, expected) in [
        ("flat", "Disabled", "written"),
        ("recursive", "Enabled", "Read-only file system"),
    ] {
        let container = format!(
            r#""image": "{SAMPLE}", "volumeMounts": [{{"name": "dev", "mountPath": "/node-dev", "readOnly": true,
               "recursiveReadOnly": "{recursive}"}}]"#
        );
        run(world, name, volumes, &container);
        let script =
            "f=/node-dev/shm/kind-e2e; { touch $f && busybox rm $f && echo written; } 2>&1 || true";
        let told = inside(world, name, script);
        assert!(told.contains(expected), "{recursive}: {told}");
    }
}

pub(crate) fn an_image_is_mounted_as_a_volume(world: &World) {
    const IMAGE: &str = "docker.io/library/kind-data:v1";
    world.load(&with_files(
        world,
        IMAGE,
        &[("data/answer", "from the image")],
    ));
    let pod = format!(
        r#""volumes": [{{"name": "image", "image": {{"reference": "{IMAGE}", "pullPolicy": "Never"}}}}],"#
    );
    let container = format!(
        r#""image": "{SAMPLE}", "volumeMounts": [{{"name": "image", "mountPath": "/image"}}]"#
    );
    run(world, "image-volume", &pod, &container);
    let read = "cat /image/data/answer; touch /image/x 2>&1 || true";
    let told = inside(world, "image-volume", read);
    assert!(told.starts_with("from the image"), "{told}");
    assert!(told.contains("Read-only file system"), "{told}");
}
