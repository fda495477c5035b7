//! Config files.
/// placeholder
#[derive(Clone, Debug)]
pub(crate) struct Settings;
#[derive(Clone, Debug, Default)]
pub(crate) struct RootSettings;
