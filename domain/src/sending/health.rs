//! What a carrier's answer to a send says of the integration itself.
//!
//! An integration is ill when its carrier refuses the account behind it, and well again with the next message that is
//! taken. What is the matter with one message or one address says nothing of it.

use crate::channels::SendError;

/// What is to be noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health<'a> {
    Unchanged,
    Well,
    /// With the reason, for the business to read.
    Ill(&'a str),
}

/// `known`: what is noted already. A first reason stands until the carrier takes a message: those who send much must
/// not write much.
pub fn after<'a>(known: Option<&str>, answer: Result<(), &'a SendError>) -> Health<'a> {
    match (known, answer) {
        (Some(_), Ok(())) => Health::Well,
        (None, Err(error)) if error.is_business_fault() => Health::Ill(&error.reason),
        _ => Health::Unchanged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::SendErrorKind::*;

    #[test]
    fn refused_credentials_are_noted_once_and_a_success_ends_it() {
        for kind in [Unauthorized, Forbidden, Misconfigured] {
            let error = SendError::new(kind, "Wrong key");
            assert_eq!(after(None, Err(&error)), Health::Ill("Wrong key"));
            assert_eq!(after(Some("Another reason"), Err(&error)), Health::Unchanged);
        }
        assert_eq!(after(Some("Wrong key"), Ok(())), Health::Well);
        assert_eq!(after(None, Ok(())), Health::Unchanged);
    }

    #[test]
    fn what_is_wrong_with_a_message_or_a_moment_is_not_the_integrations() {
        for kind in [Invalid, Unsupported, Rejected, OptedOut, Throttled {}, Unavailable, Undecided] {
            let error = SendError::new(kind, "No");
            assert_eq!(after(None, Err(&error)), Health::Unchanged, "{kind:?}");
            assert_eq!(after(Some("Wrong key"), Err(&error)), Health::Unchanged, "{kind:?}");
        }
    }
}
