//! Which method of which service a message is the request of.

use prost::Message;

use super::messages::{
    ImageSpec, ImageStatusRequest, ImageStatusResponse, ListContainersRequest,
    ListContainersResponse, ListImagesRequest, ListImagesResponse, ListPodSandboxRequest,
    ListPodSandboxResponse, PullImageRequest, PullImageResponse, RemoveImageRequest,
    RemoveImageResponse, StatusRequest, StatusResponse, VersionRequest, VersionResponse,
};

/// A request with one answer.
pub(super) trait Call: Message {
    /// Service and method, without the version of the interface.
    const METHOD: &'static str;
    /// The answer.
    type Answer: Message + Default;
}

macro_rules! calls {
    ($($request:ty => $method:literal => $answer:ty;)*) => {
        $(impl Call for $request {
            const METHOD: &'static str = $method;
            type Answer = $answer;
        })*
    };
}

calls! {
    VersionRequest => "RuntimeService/Version" => VersionResponse;
    StatusRequest => "RuntimeService/Status" => StatusResponse;
    ListContainersRequest => "RuntimeService/ListContainers" => ListContainersResponse;
    ListPodSandboxRequest => "RuntimeService/ListPodSandbox" => ListPodSandboxResponse;
    ListImagesRequest => "ImageService/ListImages" => ListImagesResponse;
    ImageStatusRequest => "ImageService/ImageStatus" => ImageStatusResponse;
    PullImageRequest => "ImageService/PullImage" => PullImageResponse;
    RemoveImageRequest => "ImageService/RemoveImage" => RemoveImageResponse;
}

/// An image as the user names it.
#[expect(
    clippy::unnecessary_wraps,
    reason = "messages are optional in messages"
)]
pub(super) fn image_named(image: &str) -> Option<ImageSpec> {
    Some(ImageSpec {
        image: image.to_owned(),
        ..ImageSpec::default()
    })
}
