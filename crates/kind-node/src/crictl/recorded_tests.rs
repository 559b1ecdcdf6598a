//! Answers of containerd 1.6.20 in a node of Kubernetes 1.20.2.

use prost::Message;
use serde_json::Value;

use super::command_line::Form;
use super::images::{image_description, is_called};
use super::messages::{
    ImageStatusResponse, ListContainersResponse, ListImagesResponse, ListPodSandboxResponse,
    VersionResponse,
};
use super::{answer, status};

const IMAGES: &[u8] = include_bytes!("recorded/images.bin");
const IMAGE: &[u8] = include_bytes!("recorded/image.bin");
const CONTAINERS: &[u8] = include_bytes!("recorded/containers.bin");
const PODS: &[u8] = include_bytes!("recorded/pods.bin");
const VERSION: &[u8] = include_bytes!("recorded/version.bin");

fn text<L: answer::List>(list: &L, form: Form, now: i64) -> String {
    let mut out = Vec::new();
    answer::write_answer(list, form, now, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The words of the lines that hold `word`.
fn lines(table: &str, word: &str) -> Vec<Vec<String>> {
    let lines = table.lines().filter(|line| line.contains(word));
    let cells = |line: &str| {
        line.split("  ")
            .map(str::trim)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let full = |line: &str| {
        cells(line)
            .into_iter()
            .filter(|cell| !cell.is_empty())
            .collect()
    };
    lines.map(full).collect()
}

#[test]
fn images_have_names_ids_and_sizes() {
    let list = ListImagesResponse::decode(IMAGES).unwrap();
    let table = text(&list, Form::Usual, 0);
    assert!(table.starts_with("IMAGE   "), "{table}");
    assert_eq!(
        lines(&table, "kube-apiserver"),
        [[
            "k8s.gcr.io/kube-apiserver",
            "v1.20.2",
            "02202693e0604",
            "110MB"
        ]]
    );
    assert_eq!(text(&list, Form::Ids, 0).lines().count(), list.images.len());
    let document: Value = serde_json::from_str(&text(&list, Form::Json, 0)).unwrap();
    assert_eq!(
        document["images"][0]["size"],
        list.images[0].size.to_string()
    );
}

#[test]
fn images_are_found_by_their_names() {
    let list = ListImagesResponse::decode(IMAGES).unwrap();
    let found = |name| {
        list.images
            .iter()
            .filter(|image| is_called(image, name))
            .count()
    };
    assert_eq!(found("k8s.gcr.io/pause:3.2"), 1);
    assert_eq!(found("k8s.gcr.io/pause"), 1);
    assert_eq!(found(&list.images[0].id), 1);
    assert_eq!(found("k8s.gcr.io/pause:3"), 0);
}

#[test]
fn an_image_has_what_kind_reads() {
    let answer = ImageStatusResponse::decode(IMAGE).unwrap();
    let mut out = Vec::new();
    answer::write_json(&image_description(answer).unwrap(), &mut out).unwrap();
    let document: Value = serde_json::from_slice(&out).unwrap();
    let status = &document["status"];
    assert!(status["id"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(
        status["repoTags"],
        serde_json::json!(["k8s.gcr.io/pause:3.2"])
    );
    assert!(status["repoDigests"].is_array());
    assert_eq!(document["info"]["info"]["imageSpec"]["os"], "linux");
    assert!(image_description(ImageStatusResponse::default()).is_none());
}

#[test]
fn containers_name_their_pods() {
    let list = ListContainersResponse::decode(CONTAINERS).unwrap();
    let etcd = list.containers.iter().find(|container| {
        container
            .metadata
            .as_ref()
            .is_some_and(|metadata| metadata.name == "etcd")
    });
    let now = etcd.unwrap().created_at + 90_000_000_000;
    let table = text(&list, Form::Usual, now);
    assert_eq!(
        lines(&table, "etcd")[0],
        [
            "8d5edcf970fae",
            "9557f4afffc99",
            "About a minute ago",
            "Running",
            "etcd",
            "0",
            "593fdbf8a9065",
            "etcd-fwall-control-plane",
            "kube-system",
        ]
    );
    let document: Value = serde_json::from_str(&text(&list, Form::Json, now)).unwrap();
    assert_eq!(document["containers"][0]["state"], "CONTAINER_RUNNING");
    assert!(document["containers"][0]["createdAt"].is_string());
}

#[test]
fn pods_have_names() {
    let list = ListPodSandboxResponse::decode(PODS).unwrap();
    let etcd = list
        .items
        .iter()
        .find(|pod| pod.id.starts_with("593fdbf8a9065"));
    let table = text(&list, Form::Usual, etcd.unwrap().created_at);
    assert_eq!(
        lines(&table, "etcd")[0],
        [
            "593fdbf8a9065",
            "Less than a second ago",
            "Ready",
            "etcd-fwall-control-plane",
            "kube-system",
            "0",
            "(default)",
        ]
    );
    let document: Value = serde_json::from_str(&text(&list, Form::Json, 0)).unwrap();
    assert_eq!(document["items"][0]["state"], "SANDBOX_READY");
}

#[test]
fn versions_are_told() {
    let answer = VersionResponse::decode(VERSION).unwrap();
    let mut out = Vec::new();
    status::show_version(&answer, &mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "Version:  0.1.0\nRuntimeName:  containerd\nRuntimeVersion:  1.6.20~ds1\nRuntimeApiVersion:  v1\n"
    );
}
