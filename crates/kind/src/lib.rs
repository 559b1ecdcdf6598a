//! Local Kubernetes clusters whose nodes are containers: the library.
#![forbid(unsafe_code)]
