//! `src/crictl/messages.rs` is what the published proto says of the methods that crictl calls.

#![expect(clippy::unwrap_used, reason = "a test may end where it stands")]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

use prost_build::{Config, Service, ServiceGenerator};
use prost_types::field_descriptor_proto::Type;
use prost_types::source_code_info::Location;
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};

const METHODS: [&str; 8] = [
    "Version",
    "Status",
    "ListContainers",
    "ListPodSandbox",
    "ListImages",
    "ImageStatus",
    "PullImage",
    "RemoveImage",
];
/// Fields with these messages are left out: crictl neither sends nor shows them, and they bring many others.
const UNUSED_MESSAGES: [&str; 4] = [
    "AuthConfig",
    "PodSandboxConfig",
    "RuntimeHandler",
    "RuntimeFeatures",
];
const PACKAGE: &str = ".runtime.v1.";
const HEAD: &str = "\
//! Messages of the Container Runtime Interface, as far as crictl uses them.
//!
//! Made from `proto/cri-v1.proto` by `tests/cri_messages.rs`, and not edited by hand.

";

/// Positions of lists in descriptors, which paths of comments are made of (`descriptor.proto`).
mod number {
    pub(super) const FIELDS: i32 = 2;
    pub(super) const METHODS: i32 = 2;
    pub(super) const MESSAGES: i32 = 4;
    pub(super) const ENUMS: i32 = 5;
    pub(super) const SERVICES: i32 = 6;
}

/// `KIND_WRITE_CRI=1` writes them anew.
#[test]
fn messages_are_those_of_the_published_proto() {
    let generated = generate_messages();
    let path = root().join("src/crictl/messages.rs");
    if std::env::var_os("KIND_WRITE_CRI").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap() == generated,
        "{} is old; write it with KIND_WRITE_CRI=1 cargo test -p kind-node --test cri_messages",
        path.display()
    );
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn generate_messages() -> String {
    let mut set = protox::compile(["cri-v1.proto"], [root().join("proto")]).unwrap();
    let [file] = set.file.as_mut_slice() else {
        panic!("the proto needs no other one");
    };
    reduce_file(file);
    let directory = tempfile::tempdir().unwrap();
    let mut config = configure_generator(file);
    config.out_dir(directory.path());
    config.compile_fds(set).unwrap();
    HEAD.to_owned() + &std::fs::read_to_string(directory.path().join("runtime.v1.rs")).unwrap()
}

/// Leaves only what `METHODS` need.
fn reduce_file(file: &mut FileDescriptorProto) {
    let locations = &mut file.source_code_info.as_mut().unwrap().location;
    for (number, message) in (0..).zip(&mut file.message_type) {
        let path = [number::MESSAGES, number, number::FIELDS];
        retain_items(&mut message.field, &path, locations, |field| {
            !UNUSED_MESSAGES.contains(&top_level_name(field.type_name()))
        });
    }
    for (number, service) in (0..).zip(&mut file.service) {
        let path = [number::SERVICES, number, number::METHODS];
        retain_items(&mut service.method, &path, locations, |method| {
            METHODS.contains(&method.name())
        });
    }
    let needed = find_needed_types(file);
    let locations = &mut file.source_code_info.as_mut().unwrap().location;
    let messages = &mut file.message_type;
    retain_items(messages, &[number::MESSAGES], locations, |message| {
        needed.contains(message.name())
    });
    let enums = &mut file.enum_type;
    retain_items(enums, &[number::ENUMS], locations, |values| {
        needed.contains(values.name())
    });
}

/// Keeps some items of the list at `path`, and their comments with them.
fn retain_items<T>(
    items: &mut Vec<T>,
    path: &[i32],
    locations: &mut Vec<Location>,
    is_kept: impl Fn(&T) -> bool,
) {
    let kept: Vec<bool> = items.iter().map(&is_kept).collect();
    locations.retain_mut(|location| {
        if !location.path.starts_with(path) || location.path.len() == path.len() {
            return true;
        }
        let index = &mut location.path[path.len()];
        let old = usize::try_from(*index).unwrap();
        let before = kept[..old].iter().filter(|kept| **kept).count();
        *index = i32::try_from(before).unwrap();
        kept[old]
    });
    items.retain(is_kept);
}

/// The names of the methods' messages and of all that their fields are made of.
fn find_needed_types(file: &FileDescriptorProto) -> BTreeSet<String> {
    let methods = file.service.iter().flat_map(|service| &service.method);
    let mut next: Vec<&str> = methods
        .flat_map(|method| [method.input_type(), method.output_type()])
        .map(top_level_name)
        .collect();
    let mut needed = BTreeSet::new();
    while let Some(name) = next.pop() {
        if needed.insert(name.to_owned()) {
            let message = file
                .message_type
                .iter()
                .find(|message| message.name() == name);
            let fields = message.into_iter().flat_map(own_and_nested_fields);
            next.extend(
                fields
                    .filter(|field| field.type_name.is_some())
                    .map(|field| top_level_name(field.type_name())),
            );
        }
    }
    needed
}

/// Nested messages are the entries of maps.
fn own_and_nested_fields(message: &DescriptorProto) -> impl Iterator<Item = &FieldDescriptorProto> {
    let nested = message.nested_type.iter().flat_map(|nested| &nested.field);
    message.field.iter().chain(nested)
}

/// The name of a type, or of the one that it is nested in, without the package.
fn top_level_name(name: &str) -> &str {
    let name = name.strip_prefix(PACKAGE).unwrap_or_default();
    name.split('.').next().unwrap_or_default()
}

/// Messages become JSON as protobuf says: names in camel case, 64-bit numbers as text, enumerations by name.
fn configure_generator(file: &FileDescriptorProto) -> Config {
    let mut config = Config::new();
    config.btree_map(["."]);
    config.message_attribute(".", "#[derive(serde::Serialize)]");
    config.message_attribute(".", "#[serde(rename_all = \"camelCase\")]");
    for message in &file.message_type {
        for field in &message.field {
            if let Some(function) = json_function(field) {
                let path = format!("{PACKAGE}{}.{}", message.name(), field.name());
                let attribute = format!("#[serde(serialize_with = \"super::json::{function}\")]");
                config.field_attribute(path, attribute);
            }
        }
    }
    let enums = file.enum_type.iter();
    config.service_generator(Box::new(Implementations {
        enums: enums.map(|values| values.name().to_owned()).collect(),
    }));
    config
}

fn json_function(field: &FieldDescriptorProto) -> Option<String> {
    match field.r#type() {
        Type::Int64 | Type::Uint64 => Some("write_number".to_owned()),
        Type::Enum => {
            let name = top_level_name(field.type_name());
            Some(format!("write_name::<{name}, _>"))
        }
        _ => None,
    }
}

/// Says of each request which method it is the one of, and that enumerations have names.
struct Implementations {
    enums: Vec<String>,
}

impl ServiceGenerator for Implementations {
    fn generate(&mut self, service: Service, text: &mut String) {
        for method in service.methods {
            write!(
                text,
                "impl super::calls::Call for {} {{
                    const METHOD: &'static str = \"{}/{}\";
                    type Answer = {};
                }}",
                method.input_type, service.proto_name, method.proto_name, method.output_type
            )
            .unwrap();
        }
    }

    fn finalize_package(&mut self, _: &str, text: &mut String) {
        for name in &self.enums {
            write!(
                text,
                "impl super::json::Enumeration for {name} {{
                    fn name(&self) -> &'static str {{ self.as_str_name() }}
                }}"
            )
            .unwrap();
        }
    }
}
