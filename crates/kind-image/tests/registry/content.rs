//! What goes to a registry comes back as it was, or not at all.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;

use kind_image::oci::{ImageConfig, Platform};
use kind_image::registry::{self, LayerForm};
use kind_image::{Code, Digest, Progress};
use kind_testkit::registry::Registry;

use crate::world::{User, file, noise, whole};

#[test]
fn an_image_comes_back_as_it_was() {
    let (registry, here, there) = (Registry::start(), User::new(), User::new());
    let name = registry.image("team/app:v1");
    let made = here.image("app:v1", &[b"lower", b"upper", &noise(300_000)]);
    let pushed = here.push(&made, &name).unwrap();
    let reports = Mutex::new(Vec::new());
    let pulled = registry::pull(
        &there.store,
        &name.parse().unwrap(),
        &Platform::of_host(),
        &there.access(),
        &|progress: Progress| reports.lock().unwrap().push(progress),
    )
    .unwrap();
    assert_eq!(pulled.digest(), &pushed.digest);
    assert_eq!(pulled.id(), made.id());
    assert_eq!(
        (file(&pulled, 0), file(&pulled, 1)),
        (b"lower".to_vec(), b"upper".to_vec())
    );
    assert_eq!(file(&pulled, 2), noise(300_000));
    let last = reports.into_inner().unwrap().pop().unwrap();
    assert!(last.is_finished() && last.what == name, "{last:?}");

    // By digest as well, also together with a tag, and under the name that was asked for.
    let by_digest = format!("{name}@{}", pushed.digest);
    assert_eq!(there.pull(&by_digest).unwrap().digest(), &pushed.digest);
    assert!(there.store.find_image(&by_digest).unwrap().is_some());
    let wrong = format!("{name}@{}", Digest::of(b"other"));
    assert_eq!(
        there.pull(&wrong).unwrap_err().code(),
        Code::RegistryNotFound
    );
    // A pulled image travels on as it came.
    let again = there
        .push(&pulled, &registry.image("other/app:v2"))
        .unwrap();
    assert_eq!(again.digest, pushed.digest);
}

/// However many come at once, a layer is unpacked above those below it.
#[test]
fn layers_that_depend_on_others_are_pulled() {
    let (registry, here, there) = (Registry::start(), User::new(), User::new());
    let mut draft = here.store.draft().unwrap();
    for number in 0..8 {
        let layer = match number {
            0 => tar(&[("data/", 0o1777, b""), ("data/big", 0o600, &noise(500_000))]),
            _ => tar(&[(&format!("data/{number}"), 0o600, b"")]),
        };
        draft.add_tar(&mut layer.as_slice()).unwrap();
    }
    let config = ImageConfig {
        architecture: Platform::of_host().architecture,
        os: "linux".to_owned(),
        ..ImageConfig::default()
    };
    let made = draft.commit(config, &["app:v1".parse().unwrap()]).unwrap();
    let name = registry.image("app:deep");
    here.push(&made, &name).unwrap();
    let pulled = there.pull(&name).unwrap();
    assert_eq!(pulled.layers().len(), 8);
    for layer in pulled.layers() {
        let mode = fs::metadata(layer.join("data"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o7777, 0o1777, "{}", layer.display());
    }
}

/// A tar of directories and files with their modes.
fn tar(entries: &[(&str, u32, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, mode, content) in entries {
        let mut header = tar::Header::new_gnu();
        let kind = if name.ends_with('/') {
            tar::EntryType::Directory
        } else {
            tar::EntryType::Regular
        };
        header.set_entry_type(kind);
        header.set_mode(*mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

#[test]
fn layers_may_travel_as_they_are() {
    let (registry, here, there) = (Registry::start(), User::new(), User::new());
    let name = registry.image("app:plain");
    let made = here.image("app:v1", &[&noise(100_000)]);
    let (reference, access) = (name.parse().unwrap(), here.access());
    let form = LayerForm::Plain;
    let pushed = registry::push(&here.store, &made, &reference, form, &access, &|_| {}).unwrap();
    assert_eq!(
        &pushed.digest,
        made.digest(),
        "not even the manifest differs"
    );
    assert_eq!(there.pull(&name).unwrap().digest(), made.digest());
}

#[test]
fn what_is_present_is_neither_sent_nor_brought_again() {
    let (registry, user) = (Registry::start(), User::new());
    let made = user.image("app:v1", &[b"base", b"app"]);
    user.push(&made, &registry.image("app:v1")).unwrap();
    let uploads = || registry.log().matches("http.request.method=PUT").count();
    let before = uploads();
    user.push(&made, &registry.image("app:v2")).unwrap();
    assert_eq!(
        uploads(),
        before + 1,
        "only the manifest\n{}",
        registry.log()
    );

    let pulled = user.pull(&registry.image("app:v1")).unwrap();
    for layer in &pulled.manifest().layers {
        fs::remove_file(registry.blob(layer.digest.hex())).unwrap();
    }
    user.pull(&registry.image("app:v2")).unwrap();
}

#[test]
fn damaged_content_never_becomes_an_image() {
    let (registry, here, there) = (Registry::start(), User::new(), User::new());
    let name = registry.image("app:v1");
    let made = here.image("app:v1", &[&noise(50_000)]);
    here.push(&made, &name).unwrap();
    let pulled = here.pull(&name).unwrap();
    let blob = registry.blob(pulled.manifest().layers[0].digest.hex());
    let good = fs::read(&blob).unwrap();
    let mut bad = good.clone();
    bad[1000] ^= 1;
    fs::write(&blob, &bad).unwrap();
    let error = there.pull(&name).unwrap_err();
    assert_eq!(error.code(), Code::RegistryMismatch, "{}", whole(&error));
    assert!(there.has_nothing());
    fs::write(&blob, &good[..20_000]).unwrap();
    let error = there.pull(&name).unwrap_err();
    assert!(
        whole(&error).contains("ended too early"),
        "{}",
        whole(&error)
    );
    assert!(there.has_nothing());
    fs::write(&blob, [&good[..], b"more"].concat()).unwrap();
    let error = there.pull(&name).unwrap_err();
    assert_eq!(
        error.code(),
        Code::RegistryContentRefused,
        "{}",
        whole(&error)
    );
    fs::write(&blob, &good).unwrap();
    // A manifest that is another than its tag's digest says.
    let manifest = registry.blob(pulled.digest().hex());
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("schemaVersion", "schemaversion")).unwrap();
    assert!(there.pull(&name).is_err());
    assert!(there.has_nothing());
}

#[test]
fn an_index_gives_the_image_of_the_platform() {
    let (registry, here, there) = (Registry::start(), User::new(), User::new());
    let mut entries = Vec::new();
    for architecture in ["amd64", "arm64"] {
        let config = ImageConfig {
            architecture: architecture.to_owned(),
            os: "linux".to_owned(),
            ..ImageConfig::default()
        };
        let name = format!("app:{architecture}");
        let made = here.image_with(&name, &[architecture.as_bytes()], config);
        entries.push(here.push(&made, &registry.image(&name)).unwrap());
    }
    let name = registry.image("app:all");
    let index = registry::push_index(&name.parse().unwrap(), &entries, &here.access()).unwrap();
    let pulled = there
        .pull_for(&name, &Platform::new("linux", "arm64"))
        .unwrap();
    assert_eq!(
        (pulled.digest(), file(&pulled, 0)),
        (&entries[1].digest, b"arm64".to_vec())
    );
    let error = there
        .pull_for(&name, &Platform::new("linux", "riscv64"))
        .unwrap_err();
    assert_eq!(error.code(), Code::RegistryPlatform);
    let expected = "is not made for linux/riscv64, only for linux/amd64, linux/arm64";
    assert!(error.to_string().contains(expected), "{error}");
    // Users pin node images by the digest of the index: it is found again without the registry.
    let pinned = format!("{name}@{index}");
    there
        .pull_for(&pinned, &Platform::new("linux", "amd64"))
        .unwrap();
    drop(registry);
    assert_eq!(
        there.store.find_image(&pinned).unwrap().unwrap().digest(),
        &entries[0].digest
    );
    let one = there.pull_for(&name, &Platform::new("linux", "arm64"));
    assert_eq!(one.unwrap_err().code(), Code::RegistryUnreachable);
}

#[test]
fn what_is_not_there_is_told() {
    let (registry, user) = (Registry::start(), User::new());
    let name = registry.image("app:v1");
    let error = user.pull(&name).unwrap_err();
    assert_eq!(error.code(), Code::RegistryNotFound);
    assert_eq!(
        error.to_string(),
        format!("{} has no {name}", registry.address())
    );
}
