//! Volumes as a user asks for them.

use kind_e2e::{Answer, eventually};

use crate::names::NODES;
use crate::workloads::SAMPLE;
use crate::world::{NODE, World};

/// A claim; `class` is a further line of its `spec`, or empty.
fn claim(name: &str, mode: &str, size: &str, class: &str) -> String {
    format!(
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: {name}}}\nspec:\n  accessModes: [{mode}]\n  \
         resources: {{requests: {{storage: {size}}}}}\n  {class}\n---\n"
    )
}

/// A pod that runs a script with a claim's volume at `/data`; `place` is a further line of its `spec`.
fn user(name: &str, claim: &str, script: &str, place: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  restartPolicy: Never\n  \
         tolerations: [{{operator: Exists}}]\n  terminationGracePeriodSeconds: 0\n  {place}\n  \
         volumes: [{{name: data, persistentVolumeClaim: {{claimName: {claim}}}}}]\n  containers:\n  \
         - name: main\n    image: {SAMPLE}\n    imagePullPolicy: Never\n    \
         command: [/bin/sh, -c, '{script}']\n    volumeMounts: [{{name: data, mountPath: /data}}]\n"
    )
}

/// A field of an object.
fn field(world: &World, object: &[&str], path: &str) -> String {
    let output = format!("jsonpath={path}");
    let get = [&["get"], object, &["--output", &output]].concat();
    world.kind.ask(&get).expect("get an object")
}

fn ends_well(world: &World, pod: &str) {
    eventually("the pod ends well", 60, || {
        match field(world, &["pod", pod], "{.status.phase}") {
            phase if phase == "Succeeded" => Ok(()),
            phase => Err(phase),
        }
    });
}

fn delete(world: &World, objects: &[&str]) {
    let arguments = [&["delete"], objects].concat();
    world.kind.ask(&arguments).expect("delete");
}

pub(crate) fn a_volume_outlives_its_pod(world: &World) {
    world
        .kind
        .apply(&claim("data", "ReadWriteOnce", "16Mi", ""));
    world
        .kind
        .apply(&user("first", "data", "echo kept > /data/file", ""));
    ends_well(world, "first");
    assert_eq!(field(world, &["pvc", "data"], "{.status.phase}"), "Bound");
    assert_eq!(
        field(world, &["pvc", "data"], "{.status.capacity.storage}"),
        "16Mi"
    );
    delete(world, &["pod", "first"]);
    world
        .kind
        .apply(&user("second", "data", "cat /data/file", ""));
    ends_well(world, "second");
    assert_eq!(world.kind.ask(&["logs", "second"]).expect("logs"), "kept\n");
    delete(world, &["pod/second", "pvc/data"]);
    eventually("the volume is reclaimed", 30, || {
        let volumes = world.kind.ask(&["get", "pv", "--no-headers"]);
        if volumes.stdout.is_empty() {
            Ok(())
        } else {
            Err(volumes)
        }
    });
}

const KEEPING: &str = "\
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: keeping}
provisioner: rancher.io/local-path
volumeBindingMode: WaitForFirstConsumer
reclaimPolicy: Retain
---
";

/// With the reclaim policy Retain, the volume and what is in it outlive the claim.
pub(crate) fn a_volume_is_kept_if_its_class_says_so(world: &World) {
    let claim = claim("kept", "ReadWriteOnce", "1Mi", "storageClassName: keeping");
    world.kind.apply(&format!("{KEEPING}{claim}"));
    world
        .kind
        .apply(&user("writer", "kept", "echo kept > /data/file", ""));
    ends_well(world, "writer");
    let volume = field(world, &["pvc", "kept"], "{.spec.volumeName}");
    let path = field(world, &["pv", &volume], "{.spec.hostPath.path}");
    delete(world, &["pod/writer", "pvc/kept"]);
    eventually("the volume is released", 30, || {
        match field(world, &["pv", &volume], "{.status.phase}") {
            phase if phase == "Released" => Ok(()),
            phase => Err(phase),
        }
    });
    world.kind.apply(&format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: reader}}\nspec:\n  restartPolicy: Never\n  \
         volumes: [{{name: data, hostPath: {{path: {path}}}}}]\n  containers:\n  - name: main\n    \
         image: {SAMPLE}\n    imagePullPolicy: Never\n    command: [cat, /data/file]\n    \
         volumeMounts: [{{name: data, mountPath: /data}}]\n"
    ));
    ends_well(world, "reader");
    assert_eq!(world.kind.ask(&["logs", "reader"]).expect("logs"), "kept\n");
    delete(world, &["pod/reader", &format!("pv/{volume}")]);
}

/// A claim without a pod waits for one; one that no directory can serve is told so; one for more than the
/// disk has is served, and told so.
pub(crate) fn claims_are_told_what_is_wrong(world: &World) {
    let cases = [
        ("shared", "ReadWriteMany", "1Mi", "cannot be ReadWriteMany"),
        ("large", "ReadWriteOnce", "1Ei", "whose disk has room for "),
    ];
    for (name, mode, size, _) in cases {
        world.kind.apply(&claim(name, mode, size, ""));
        world.kind.apply(&user(name, name, "true", ""));
    }
    world
        .kind
        .apply(&claim("alone", "ReadWriteOnce", "1Mi", ""));
    for (name, _, _, told) in cases {
        eventually(told, 60, || {
            let events = events(world, name);
            if events.stdout.contains(told) {
                Ok(())
            } else {
                Err(events)
            }
        });
    }
    ends_well(world, "large");
    for name in ["shared", "alone"] {
        assert_eq!(field(world, &["pvc", name], "{.status.phase}"), "Pending");
    }
    let objects = [
        "pod/shared",
        "pod/large",
        "pvc/shared",
        "pvc/large",
        "pvc/alone",
    ];
    delete(world, &objects);
}

/// A storage class whose claims wait for no pod; `allowed` are values of the nodes' label with their host name.
fn immediate(name: &str, provisioner: &str, allowed: &[&str]) -> String {
    let topologies = match allowed {
        [] => String::new(),
        names => format!(
            "allowedTopologies:\n- matchLabelExpressions:\n  - {{key: kubernetes.io/hostname, values: [{}]}}\n",
            names.join(", ")
        ),
    };
    format!(
        "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {{name: {name}}}\nprovisioner: {provisioner}\n\
         volumeBindingMode: Immediate\n{topologies}---\n"
    )
}

/// A class whose claims wait for no pod, and a claim of the same name.
fn immediate_claim(name: &str, provisioner: &str, allowed: &[&str]) -> String {
    let class = immediate(name, provisioner, allowed);
    let of = format!("storageClassName: {name}");
    class + &claim(name, "ReadWriteOnce", "1Mi", &of)
}

/// The node that a claim's volume is on, once the claim is bound.
fn node_of(world: &World, claim: &str) -> String {
    eventually("the claim is bound", 30, || {
        match field(world, &["pvc", claim], "{.status.phase}") {
            phase if phase == "Bound" => Ok(()),
            phase => Err(phase),
        }
    });
    let volume = field(world, &["pvc", claim], "{.spec.volumeName}");
    let values = "{.spec.nodeAffinity.required.nodeSelectorTerms[*].matchExpressions[*].values[*]}";
    field(world, &["pv", &volume], values)
}

fn delete_immediate(world: &World, names: &[&str]) {
    for name in names {
        delete(
            world,
            &[&format!("pvc/{name}"), &format!("storageclass/{name}")],
        );
    }
}

/// A claim of a class with the volume binding mode Immediate has a volume before any pod, or is told why not. One of
/// another provisioner is not ours to say anything about.
pub(crate) fn an_immediate_claim_waits_for_no_pod(world: &World) {
    let ours = "rancher.io/local-path";
    let other = "example.org/other";
    world.kind.apply(&immediate_claim("now", ours, &[]));
    world
        .kind
        .apply(&immediate_claim("never", ours, &["elsewhere"]));
    world.kind.apply(&immediate_claim("other", other, &[]));
    assert_eq!(node_of(world, "now"), NODE);
    world
        .kind
        .apply(&user("now", "now", "echo x > /data/file", ""));
    ends_well(world, "now");
    let told = "no node is in the allowedTopologies of storage class never: kubernetes.io/hostname in (elsewhere)";
    eventually(told, 60, || {
        let events = events(world, "never");
        if events.stdout.contains(told) {
            Ok(())
        } else {
            Err(events)
        }
    });
    // The control plane has named the provisioner long since.
    let provisioner = "{.metadata.annotations.volume\\.beta\\.kubernetes\\.io/storage-provisioner}";
    assert_eq!(field(world, &["pvc", "other"], provisioner), other);
    for name in ["never", "other"] {
        assert_eq!(field(world, &["pvc", name], "{.status.phase}"), "Pending");
    }
    let reporters = events_field(world, "other", "{.items[*].reportingComponent}");
    assert!(!reporters.stdout.contains(ours), "{reporters:#?}");
    delete(world, &["pod/now"]);
    delete_immediate(world, &["now", "never", "other"]);
}

/// A claim that waits for no pod gets a node that its class allows. Pods are kept from both nodes by taints, so none
/// is better than the other.
pub(crate) fn an_immediate_claim_gets_a_node_of_its_class(world: &World) {
    let [control_plane, worker] = NODES;
    let cases: [(&str, &[&str]); 3] = [
        ("first", &[control_plane]),
        ("second", &[worker]),
        ("either", &NODES),
    ];
    for (name, allowed) in cases {
        let objects = immediate_claim(name, "rancher.io/local-path", allowed);
        world.kind.apply(&objects);
    }
    for (name, allowed) in cases {
        let node = node_of(world, name);
        assert!(allowed.contains(&node.as_str()), "{name}: {node}");
    }
    delete_immediate(world, &cases.map(|(name, _)| name));
}

/// What a claim was told.
fn events(world: &World, claim: &str) -> Answer {
    events_field(world, claim, "{.items[*].message}")
}

fn events_field(world: &World, claim: &str, path: &str) -> Answer {
    let of = format!("involvedObject.kind=PersistentVolumeClaim,involvedObject.name={claim}");
    let path = format!("jsonpath={path}");
    let get = ["get", "events", "--field-selector", &of, "--output", &path];
    world.kind.ask(&get)
}

/// A pod that may run on either node runs where its volume is.
pub(crate) fn a_pod_follows_its_volume(world: &World) {
    for node in NODES {
        let name = format!("data-{node}");
        world.kind.apply(&claim(&name, "ReadWriteOnce", "1Mi", ""));
        let there = format!("nodeSelector: {{kubernetes.io/hostname: {node}}}");
        let write = format!("echo {node} > /data/node");
        let writer = user(&format!("write-{node}"), &name, &write, &there);
        world.kind.apply(&writer);
        ends_well(world, &format!("write-{node}"));
        let reader = format!("read-{node}");
        world
            .kind
            .apply(&user(&reader, &name, "cat /data/node", ""));
        ends_well(world, &reader);
        let logs = world.kind.ask(&["logs", &reader]).expect("logs");
        assert_eq!(logs, format!("{node}\n"));
        assert_eq!(field(world, &["pod", &reader], "{.spec.nodeName}"), node);
    }
}
