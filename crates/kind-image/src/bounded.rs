//! Lists and tables of documents that come from outside. One with more items than anybody needs is refused while it is
//! read: a few bytes of JSON may be many of memory.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Reads a list of at most `MOST` items. Null is an empty one: programs in Go write that.
pub(crate) fn list<'de, D, T, const MOST: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    optional_list::<D, T, MOST>(deserializer).map(Option::unwrap_or_default)
}

/// Reads a value, or null for what it is by default.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads a list of at most `MOST` items, or nothing.
pub(crate) fn optional_list<'de, D, T, const MOST: usize>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let found = Option::<List<T, MOST>>::deserialize(deserializer)?;
    Ok(found.map(|list| list.0))
}

/// Reads a table of texts with at most `MOST` entries.
pub(crate) fn table<'de, D, const MOST: usize>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error>
where
    D: Deserializer<'de>,
{
    deserializer.deserialize_map(TableVisitor::<MOST>)
}

/// Reads a table of texts with at most `MOST` entries, or nothing.
pub(crate) fn optional_table<'de, D, const MOST: usize>(
    deserializer: D,
) -> Result<Option<BTreeMap<String, String>>, D::Error>
where
    D: Deserializer<'de>,
{
    let found = Option::<Table<MOST>>::deserialize(deserializer)?;
    Ok(found.map(|table| table.0))
}

/// A list of at most `MOST` items.
pub(crate) struct List<T, const MOST: usize>(pub(crate) Vec<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for List<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = deserializer.deserialize_seq(ListVisitor::<T, MOST>(PhantomData));
        items.map(Self)
    }
}

struct Table<const MOST: usize>(BTreeMap<String, String>);

impl<'de, const MOST: usize> Deserialize<'de> for Table<MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        table::<D, MOST>(deserializer).map(Self)
    }
}

struct ListVisitor<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for ListVisitor<T, MOST> {
    type Value = Vec<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a list of at most {MOST} items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            if list.len() == MOST {
                return Err(A::Error::invalid_length(MOST + 1, &self));
            }
            list.push(item);
        }
        Ok(list)
    }
}

struct TableVisitor<const MOST: usize>;

impl<'de, const MOST: usize> Visitor<'de> for TableVisitor<MOST> {
    type Value = BTreeMap<String, String>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a table of at most {MOST} texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut table = BTreeMap::new();
        while let Some((name, text)) = entries.next_entry()? {
            table.insert(name, text);
            if table.len() > MOST {
                return Err(A::Error::invalid_length(MOST + 1, &self));
            }
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Document {
        #[serde(deserialize_with = "list::<_, _, 2>")]
        list: Vec<u8>,
        #[serde(deserialize_with = "optional_list::<_, _, 2>")]
        optional: Option<Vec<u8>>,
        #[serde(deserialize_with = "table::<_, 2>")]
        table: BTreeMap<String, String>,
        #[serde(deserialize_with = "optional_table::<_, 2>")]
        labels: Option<BTreeMap<String, String>>,
    }

    #[test]
    fn what_is_longer_is_refused() {
        let parse = serde_json::from_str::<Document>;
        let document =
            parse(r#"{"list":[1,2],"optional":[1],"table":{"a":"b"},"labels":{"a":"b","c":"d"}}"#);
        let document = document.unwrap();
        assert_eq!(document.list, [1, 2]);
        assert_eq!(document.optional, Some(vec![1]));
        assert_eq!(document.table["a"], "b");
        assert_eq!(document.labels.map(|labels| labels.len()), Some(2));
        let nothing = parse(r#"{"list":null,"optional":null,"labels":null}"#).unwrap();
        assert_eq!((nothing.optional, nothing.labels), (None, None));
        assert!(nothing.list.is_empty());
        for long in [
            r#"{"list":[1,2,3]}"#,
            r#"{"optional":[1,2,3]}"#,
            r#"{"table":{"a":"","b":"","c":""}}"#,
            r#"{"labels":{"a":"","b":"","c":""}}"#,
        ] {
            let error = parse(long).unwrap_err().to_string();
            assert!(error.contains("of at most 2 "), "{error}");
        }
    }
}
