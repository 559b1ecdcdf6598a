//! The only unsafe code: namespaces, mounts, cgroups, pidfds.
