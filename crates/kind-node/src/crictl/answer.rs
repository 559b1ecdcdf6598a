//! Lists and documents on stdout.

use std::io::Write;

use serde::Serialize;

use super::command_line::Form;
use super::{Error, table};

/// A list that every form can be made of.
pub(super) trait List: Serialize {
    /// The heads of the table's columns.
    const HEADS: &'static [&'static str];

    /// The ids of all entries.
    fn ids(&self) -> impl Iterator<Item = &str>;

    /// The rows of the table. `now` is in nanoseconds since 1970.
    fn rows(&self, now: i64) -> impl Iterator<Item = Vec<String>>;
}

/// Writes a list.
pub(super) fn write_answer<L: List>(
    list: &L,
    form: Form,
    now: i64,
    out: &mut dyn Write,
) -> Result<(), Error> {
    match form {
        Form::Json => write_json(list, out)?,
        Form::Ids => {
            for id in list.ids() {
                writeln!(out, "{id}")?;
            }
        }
        Form::Usual => {
            let heads = L::HEADS.iter().map(|head| (*head).to_owned()).collect();
            let rows: Vec<Vec<String>> = std::iter::once(heads).chain(list.rows(now)).collect();
            table::write_table(out, &rows)?;
        }
    }
    Ok(())
}

/// Writes a document, its parts in the order of their fields.
pub(super) fn write_json(document: &impl Serialize, out: &mut dyn Write) -> Result<(), Error> {
    let text =
        serde_json::to_string_pretty(document).map_err(|error| Error::Output(error.into()))?;
    writeln!(out, "{text}")?;
    Ok(())
}
