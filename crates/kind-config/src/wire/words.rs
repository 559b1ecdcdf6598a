//! Fields that hold one of a few words.

use serde_json::{Value as Json, json};

use super::{Decoder, Encoder, Schemas, Wire};
use crate::ApiVersion;
use crate::model::{
    AddOn, AuditLevel, IpFamily, KubeProxyMode, Propagation, Protocol, Role, TaintEffect,
};
use crate::yaml::Value;
use crate::yaml::tree::Tree;

/// Words whose check waits for validation, so that it can be reported beside everything else.
macro_rules! checked_later {
    ($($name:ty),*) => {$(
        impl Wire for $name {
            fn type_name(version: ApiVersion) -> String {
                String::type_name(version)
            }

            fn decode(tree: &Tree, decoder: &mut Decoder) -> Option<Self> {
                let word = String::decode(tree, decoder)?;
                // An empty word is as good as none.
                (!word.is_empty()).then(|| word.parse().unwrap_or_else(|error| match error {}))
            }

            fn is_unset(&self) -> bool {
                *self == Self::default()
            }

            fn encode(&self, _: &mut Encoder) -> Value {
                self.as_str().into()
            }

            fn schema(_: &mut Schemas) -> Json {
                one_of(Self::WORDS)
            }
        }
    )*};
}

checked_later!(
    AddOn,
    AuditLevel,
    IpFamily,
    KubeProxyMode,
    Role,
    TaintEffect
);

/// Words that kind checks while it decodes.
macro_rules! checked_at_once {
    ($name:ty, $kind:literal, $fold:expr, $schema:expr) => {
        impl Wire for $name {
            fn type_name(version: ApiVersion) -> String {
                String::type_name(version)
            }

            fn decode(tree: &Tree, decoder: &mut Decoder) -> Option<Self> {
                let fold: fn(String) -> String = $fold;
                let word = fold(String::decode(tree, decoder)?);
                match Self::ALL.iter().find(|value| value.as_str() == word) {
                    Some(value) => Some(*value),
                    None if word.is_empty() => None,
                    None => {
                        decoder.unknown_word(tree.line, $kind, word, Self::WORDS);
                        None
                    }
                }
            }

            fn is_unset(&self) -> bool {
                *self == Self::default()
            }

            fn encode(&self, _: &mut Encoder) -> Value {
                self.as_str().into()
            }

            fn schema(_: &mut Schemas) -> Json {
                let schema: fn() -> Json = $schema;
                schema()
            }
        }
    };
}

checked_at_once!(Propagation, "MountPropagation", |word| word, || {
    one_of(Propagation::WORDS)
});
checked_at_once!(
    Protocol,
    "PortMappingProtocol",
    |word| word.to_uppercase(),
    || {
        let words = Protocol::WORDS
            .iter()
            .flat_map(|word| [(*word).to_owned(), word.to_lowercase()]);
        let words: Vec<String> = words.collect();
        let any_case = "^([tT][cC][pP]|[uU][dD][pP]|[sS][cC][tT][pP]|)$";
        // The words are for editors, the pattern for who mixes cases.
        json!({ "anyOf": [{ "enum": words }, { "type": "string", "pattern": any_case }, { "type": "null" }] })
    }
);

/// One of some words, or nothing.
fn one_of(words: &[&str]) -> Json {
    let words = words.iter().map(|word| Json::from(*word));
    let nothing = [Json::from(""), Json::Null];
    json!({ "enum": words.chain(nothing).collect::<Vec<_>>() })
}
