//! Image references.

use kind_image::Reference;

/// What is read is written and read again as the same.
pub fn image_reference(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    kind_image::friendly(text);
    let Ok(reference) = text.parse::<Reference>() else {
        return;
    };
    let written = reference.to_string();
    let read: Reference = written.parse().expect("what was written is read");
    assert_eq!(read, reference, "{written}");
    let pulled: Reference = reference.pull_name().parse().expect("pull names are names");
    assert_eq!(pulled.repository(), reference.repository());
}
