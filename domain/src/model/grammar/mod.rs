//! What all of v1.1 is spelled with: bodies and their fields, errors, addresses, URLs, files.

mod address;
mod api_error;
mod change;
pub mod check;
mod file;
pub(super) mod form;
pub mod json;
pub mod uri;

pub use address::{Address, InvalidAddress};
pub use api_error::{ApiError, ErrorCode};
pub use change::Change;
pub use file::{FILE_LIMIT, FileFacts, FileKey, FileName, FileOwner, InvalidFileKey, MediaType};
