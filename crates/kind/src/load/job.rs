//! What one node is to get.

use std::sync::Arc;

use kind_image::archive::PortableImage;

use super::nodes::Target;

/// Images that a node is to get.
#[derive(Debug)]
pub(super) struct Job<'a> {
    pub(super) target: &'a Target,
    pub(super) images: Vec<Arc<PortableImage>>,
}
