//! Lists that are asked for stretch by stretch, by `limit` and `offset`.

use serde_json::Value;

use super::call::Call;
use crate::conversation::page::Room;
use crate::model::ApiError;

const LIMIT: usize = 100;
const DEFAULT: usize = 25;

/// A stretch of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    pub limit: usize,
    pub offset: usize,
}

impl Call<'_> {
    /// `limit` and `offset` of the query.
    pub fn page(&self) -> Result<Page, ApiError> {
        let number = |name: &str, default: usize| match self.query(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| ApiError::field(name, "must be a whole number, 0 or more")),
        };
        let limit = number("limit", DEFAULT)?;
        if !(1..=LIMIT).contains(&limit) {
            return Err(ApiError::field("limit", format!("must lie between 1 and {LIMIT}")));
        }
        Ok(Page { limit, offset: number("offset", 0)? })
    }
}

impl Page {
    /// The stretch of a whole list, and whether there is more after it.
    pub fn cut<T>(self, list: Vec<T>) -> (Vec<T>, bool) {
        let has_more = list.len() > self.offset.saturating_add(self.limit);
        (list.into_iter().skip(self.offset).take(self.limit).collect(), has_more)
    }

    /// The same as it is shown. It ends early where it would outgrow an answer: the next stretch begins at the offset and
    /// as many more as were shown.
    pub fn show<T>(self, list: Vec<T>, view: impl Fn(&T) -> Value) -> (Vec<Value>, bool) {
        let (found, has_more) = self.cut(list);
        let mut room = Room::of_an_answer();
        let views = found.iter().map(view);
        let shown: Vec<_> = views.take_while(|view| room.takes(std::slice::from_ref(view))).collect();
        let is_short = shown.len() < found.len();
        (shown, has_more || is_short)
    }
}
