//! OCI images: references, the local store, unpacking, building node images.
#![forbid(unsafe_code)]
