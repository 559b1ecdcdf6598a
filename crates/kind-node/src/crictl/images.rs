//! What crictl does with images.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;
use serde_json::Value;

use super::answer::List;
use super::client::Client;
use super::command_line::Form;
use super::messages::{
    Image, ImageSpec, ImageStatusRequest, ImageStatusResponse, ListImagesRequest,
    ListImagesResponse, PullImageRequest, RemoveImageRequest,
};
use super::{Error, answer, table};

const NONE: &str = "<none>";

/// Lists images, or only those of a name.
pub(super) async fn list_images(
    client: &Client,
    name: Option<&str>,
    form: Form,
    out: &mut dyn Write,
) -> Result<(), Error> {
    // Without a filter: not every containerd heeds it.
    let request = ListImagesRequest::default();
    let mut list = client.send_request(&request).await?;
    if let Some(name) = name {
        list.images.retain(|image| is_called(image, name));
    }
    list.images
        .sort_by(|one, other| sort_name(one).cmp(sort_name(other)));
    answer::write_answer(&list, form, 0, out)
}

/// Whether an image has a name, with its tag or without.
pub(super) fn is_called(image: &Image, name: &str) -> bool {
    let mut tags = image.repo_tags.iter();
    image.id == name
        || image.repo_digests.iter().any(|digest| digest == name)
        || tags.any(|tag| tag == name || split_tag(tag).0 == name)
}

impl List for ListImagesResponse {
    const HEADS: &'static [&'static str] = &["IMAGE", "TAG", "IMAGE ID", "SIZE"];

    fn ids(&self) -> impl Iterator<Item = &str> {
        self.images.iter().map(|image| image.id.as_str())
    }

    fn rows(&self, _now: i64) -> impl Iterator<Item = Vec<String>> {
        self.images.iter().flat_map(image_rows)
    }
}

fn sort_name(image: &Image) -> &str {
    let names = image.repo_tags.first().or(image.repo_digests.first());
    names.unwrap_or(&image.id)
}

/// A row for each name of an image; one without tags has a row too.
fn image_rows(image: &Image) -> Vec<Vec<String>> {
    let row = |repository: &str, tag: &str| {
        let [repository, tag] = [repository, tag].map(str::to_owned);
        vec![
            repository,
            tag,
            table::short_id(&image.id),
            table::size_text(image.size),
        ]
    };
    if image.repo_tags.is_empty() {
        let digest = image.repo_digests.first();
        let digest = digest.and_then(|name| name.split_once('@'));
        return vec![row(digest.map_or(NONE, |(repository, _)| repository), NONE)];
    }
    let names = image.repo_tags.iter().map(|name| split_tag(name));
    names
        .map(|(repository, tag)| row(repository, tag))
        .collect()
}

/// A name's repository and tag.
fn split_tag(name: &str) -> (&str, &str) {
    name.rsplit_once(':').unwrap_or((name, NONE))
}

/// Prints all that containerd tells about images.
pub(super) async fn inspect_images(
    client: &Client,
    names: &[String],
    form: Form,
    out: &mut dyn Write,
) -> Result<(), Error> {
    for name in names {
        let request = ImageStatusRequest {
            image: image_named(name),
            verbose: form != Form::Ids,
        };
        let answer = client.send_request(&request).await?;
        let described =
            image_description(answer).ok_or_else(|| Error::NoSuchImage(name.clone()))?;
        match form {
            Form::Ids => writeln!(out, "{}", described.status.id)?,
            Form::Usual | Form::Json => answer::write_json(&described, out)?,
        }
    }
    Ok(())
}

/// All about an image, in crictl's form.
#[derive(Debug, Serialize)]
pub(super) struct Description {
    pub(super) status: Image,
    pub(super) info: BTreeMap<String, Value>,
}

/// None if there is no such image.
pub(super) fn image_description(answer: ImageStatusResponse) -> Option<Description> {
    Some(Description {
        status: answer.image?,
        info: unpacked_info(answer.info),
    })
}

/// The values are JSON in text.
pub(super) fn unpacked_info(info: BTreeMap<String, String>) -> BTreeMap<String, Value> {
    let value = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
    info.into_iter()
        .map(|(name, text)| (name, value(text)))
        .collect()
}

/// An image as the user names it.
#[expect(
    clippy::unnecessary_wraps,
    reason = "messages are optional in messages"
)]
fn image_named(image: &str) -> Option<ImageSpec> {
    Some(ImageSpec {
        image: image.to_owned(),
        ..ImageSpec::default()
    })
}

/// Fetches an image from its registry, however long that takes.
pub(super) async fn pull_image(
    client: &Client,
    name: &str,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let request = PullImageRequest {
        image: image_named(name),
    };
    let answer = client.send_request(&request).await?;
    writeln!(out, "Image is up to date for {}", answer.image_ref)?;
    Ok(())
}

/// Removes images with all their names.
pub(super) async fn remove_images(
    client: &Client,
    names: &[String],
    out: &mut dyn Write,
) -> Result<(), Error> {
    for name in names {
        let request = ImageStatusRequest {
            image: image_named(name),
            verbose: false,
        };
        let status = client.send_request(&request).await?.image;
        let image = status.ok_or_else(|| Error::NoSuchImage(name.clone()))?;
        client
            .send_request(&RemoveImageRequest {
                image: image_named(name),
            })
            .await?;
        let tags = image.repo_tags.iter().map(String::as_str);
        let ids = [image.id.as_str()].into_iter();
        for gone in tags.chain(ids.filter(|_| image.repo_tags.is_empty())) {
            writeln!(out, "Deleted: {gone}")?;
        }
    }
    Ok(())
}
