//! Every route of the API: which operation it is, which function serves it, and who may call it.
//!
//! The one table. Authorization reads it, the template's routes and the OpenAPI document are held against it by tests,
//! and `tests/e2e/scopes.rs` walks it with every kind of credential.
//!
//! Paths stand below the version (`/v1.1`, or `/v1`, which some clients call) and are matched without regard to case.
//! What is written `/apps/{appId}/…` is also served without `/apps/{appId}`, to credentials that name the app. A
//! `{userId}` may hold slashes: a business may name a person by any text.

use std::collections::BTreeMap;

/// Which function serves a route: its binary's name is [`Service::binary`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    Apps,
    Attachments,
    Conversations,
    Notifications,
    Settings,
    Users,
}

impl Service {
    pub fn binary(self) -> &'static str {
        match self {
            Self::Apps => "apps",
            Self::Attachments => "attachments",
            Self::Conversations => "conversations",
            Self::Notifications => "notifications",
            Self::Settings => "settings",
            Self::Users => "users",
        }
    }
}

/// Who may call a route (v1.1 reference, 1.2). Each includes those before it; a key reaches its own app or account only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// An account's own keys.
    Owner,
    /// And its service accounts' keys, for the apps linked to them.
    Account,
    /// And the app's keys.
    App,
    /// And a person, about themselves.
    Person,
}

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    pub operation: Operation,
    pub method: &'static str,
    /// Below the version, in the full form.
    pub path: &'static str,
    pub service: Service,
    pub access: Access,
}

macro_rules! routes {
    ($($service:ident { $($access:ident $operation:ident = $method:ident $path:literal)+ })+) => {
        /// What can be asked of the API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Operation { $($($operation),+),+ }

        pub const ROUTES: &[Route] = &[$($(Route {
            operation: Operation::$operation,
            method: stringify!($method),
            path: $path,
            service: Service::$service,
            access: Access::$access,
        }),+),+];
    };
}

routes! {
    Apps {
        Account ListApps = GET "/apps"
        Account CreateApp = POST "/apps"
        App GetApp = GET "/apps/{appId}"
        App UpdateApp = PUT "/apps/{appId}"
        Account DeleteApp = DELETE "/apps/{appId}"
        App GetSdks = GET "/apps/{appId}/sdks"
        Account ListAppKeys = GET "/apps/{appId}/keys"
        Account CreateAppKey = POST "/apps/{appId}/keys"
        Account GetAppKey = GET "/apps/{appId}/keys/{keyId}"
        Account DeleteAppKey = DELETE "/apps/{appId}/keys/{keyId}"
        Account GetAppKeyJwt = GET "/apps/{appId}/keys/{keyId}/jwt"
        Owner ListServiceAccounts = GET "/serviceaccounts"
        Owner CreateServiceAccount = POST "/serviceaccounts"
        Owner GetServiceAccount = GET "/serviceaccounts/{serviceAccountId}"
        Owner UpdateServiceAccount = PUT "/serviceaccounts/{serviceAccountId}"
        Owner DeleteServiceAccount = DELETE "/serviceaccounts/{serviceAccountId}"
        Owner ListServiceAccountKeys = GET "/serviceaccounts/{serviceAccountId}/keys"
        Owner CreateServiceAccountKey = POST "/serviceaccounts/{serviceAccountId}/keys"
        Owner GetServiceAccountKey = GET "/serviceaccounts/{serviceAccountId}/keys/{keyId}"
        Owner DeleteServiceAccountKey = DELETE "/serviceaccounts/{serviceAccountId}/keys/{keyId}"
        Owner GetServiceAccountKeyJwt = GET "/serviceaccounts/{serviceAccountId}/keys/{keyId}/jwt"
    }
    Settings {
        App ListIntegrations = GET "/apps/{appId}/integrations"
        App CreateIntegration = POST "/apps/{appId}/integrations"
        App GetIntegration = GET "/apps/{appId}/integrations/{integrationId}"
        App UpdateIntegration = PUT "/apps/{appId}/integrations/{integrationId}"
        App DeleteIntegration = DELETE "/apps/{appId}/integrations/{integrationId}"
        App GetIntegrationMenu = GET "/apps/{appId}/integrations/{integrationId}/menu"
        App CreateIntegrationMenu = POST "/apps/{appId}/integrations/{integrationId}/menu"
        App UpdateIntegrationMenu = PUT "/apps/{appId}/integrations/{integrationId}/menu"
        App DeleteIntegrationMenu = DELETE "/apps/{appId}/integrations/{integrationId}/menu"
        App GetIntegrationProfile = GET "/apps/{appId}/integrations/{integrationId}/profile"
        App UpdateIntegrationProfile = PUT "/apps/{appId}/integrations/{integrationId}/profile"
        App UploadIntegrationProfilePhoto = PUT "/apps/{appId}/integrations/{integrationId}/profile/photo"
        App GetMenu = GET "/apps/{appId}/menu"
        App UpdateMenu = PUT "/apps/{appId}/menu"
        App DeleteMenu = DELETE "/apps/{appId}/menu"
        App ListWebhooks = GET "/apps/{appId}/webhooks"
        App CreateWebhook = POST "/apps/{appId}/webhooks"
        App GetWebhook = GET "/apps/{appId}/webhooks/{webhookId}"
        App UpdateWebhook = PUT "/apps/{appId}/webhooks/{webhookId}"
        App DeleteWebhook = DELETE "/apps/{appId}/webhooks/{webhookId}"
        App ListTemplates = GET "/apps/{appId}/templates"
        App CreateTemplate = POST "/apps/{appId}/templates"
        App GetTemplate = GET "/apps/{appId}/templates/{templateId}"
        App UpdateTemplate = PUT "/apps/{appId}/templates/{templateId}"
        App DeleteTemplate = DELETE "/apps/{appId}/templates/{templateId}"
    }
    Users {
        App CreateAppUser = POST "/apps/{appId}/appusers"
        App MergeAppUsers = POST "/apps/{appId}/appusers/merge"
        Person GetAppUser = GET "/apps/{appId}/appusers/{userId}"
        Person UpdateAppUser = PUT "/apps/{appId}/appusers/{userId}"
        App DeleteAppUser = DELETE "/apps/{appId}/appusers/{userId}"
        App DeleteAppUserProfile = DELETE "/apps/{appId}/appusers/{userId}/profile"
        Person ListChannels = GET "/apps/{appId}/appusers/{userId}/channels"
        Person LinkChannel = POST "/apps/{appId}/appusers/{userId}/channels"
        Person UnlinkChannel = DELETE "/apps/{appId}/appusers/{userId}/channels/{channel}"
        App ListBusinessSystems = GET "/apps/{appId}/appusers/{userId}/businesssystems"
        Person GetAuthCode = GET "/apps/{appId}/appusers/{userId}/authcode"
        Person GetLinkRequests = GET "/apps/{appId}/appusers/{userId}/linkrequest"
    }
    Conversations {
        Person ListMessages = GET "/apps/{appId}/appusers/{userId}/messages"
        Person PostMessage = POST "/apps/{appId}/appusers/{userId}/messages"
        Person PostImage = POST "/apps/{appId}/appusers/{userId}/images"
        App DeleteMessages = DELETE "/apps/{appId}/appusers/{userId}/messages"
        App DeleteMessage = DELETE "/apps/{appId}/appusers/{userId}/messages/{messageId}"
        Person GetConversation = GET "/apps/{appId}/appusers/{userId}/conversation"
        Person PostActivity = POST "/apps/{appId}/appusers/{userId}/conversation/activity"
        Person ResetUnreadCount = POST "/apps/{appId}/appusers/{userId}/conversation/read"
        Person PostPostback = POST "/apps/{appId}/appusers/{userId}/conversation/postback"
    }
    Attachments {
        App UploadAttachment = POST "/apps/{appId}/attachments"
        App RemoveAttachment = POST "/apps/{appId}/attachments/remove"
    }
    Notifications {
        App CreateNotification = POST "/apps/{appId}/notifications"
    }
}

/// The route of a request, with what stands for its variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub route: Route,
    pub parameters: BTreeMap<&'static str, String>,
}

/// Why there is no route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRoute {
    NoPath,
    /// The path is served, by these methods only.
    OtherMethods(Vec<&'static str>),
}

/// Finds the route of a decoded path, given as its segments.
pub fn find(method: &str, segments: &[String]) -> Result<Found, NoRoute> {
    let (version, below) = segments.split_first().ok_or(NoRoute::NoPath)?;
    if !is_version(version) {
        return Err(NoRoute::NoPath);
    }
    let fits = ROUTES.iter().filter_map(|route| Some((route, fit(route.path, below)?)));
    let fits: Vec<_> = fits.collect();
    let best = fits.iter().map(|(_, fit)| fit.exact).max().ok_or(NoRoute::NoPath)?;
    let on_path: Vec<_> = fits.into_iter().filter(|(_, fit)| fit.exact == best).collect();
    let allowed = on_path.iter().map(|(route, _)| route.method).collect();
    let found = on_path.into_iter().find(|(route, _)| route.method == method);
    let (route, fit) = found.ok_or(NoRoute::OtherMethods(allowed))?;
    Ok(Found { route: *route, parameters: fit.parameters })
}

fn is_version(segment: &str) -> bool {
    segment.eq_ignore_ascii_case("v1") || segment.eq_ignore_ascii_case("v1.1")
}

/// How a path fits a pattern: the one with the most exact segments is meant.
struct Fit {
    exact: usize,
    parameters: BTreeMap<&'static str, String>,
}

/// In the full form, or in the short one.
fn fit(pattern: &'static str, path: &[String]) -> Option<Fit> {
    const APP: &str = "/apps/{appId}/";
    let full = fit_segments(&pattern[1..].split('/').collect::<Vec<_>>(), path);
    let short = || fit_segments(&pattern.strip_prefix(APP)?.split('/').collect::<Vec<_>>(), path);
    full.or_else(|| short().map(|fit| Fit { exact: fit.exact + 1, ..fit }))
}

fn fit_segments(pattern: &[&'static str], path: &[String]) -> Option<Fit> {
    let Some((first, rest)) = pattern.split_first() else {
        return path.is_empty().then(|| Fit { exact: 0, parameters: BTreeMap::new() });
    };
    let Some(name) = first.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
        let (segment, others) = path.split_first()?;
        let fit = segment.eq_ignore_ascii_case(first).then(|| fit_segments(rest, others))??;
        return Some(Fit { exact: fit.exact + 1, ..fit });
    };
    let longest = if name == "userId" { path.len() } else { path.len().min(1) };
    (1..=longest).find_map(|length| {
        let (value, others) = path.split_at(length);
        let value = value.join("/");
        let mut fit = (!value.is_empty()).then(|| fit_segments(rest, others))??;
        fit.parameters.insert(name, value);
        Some(fit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(method: &str, path: &str) -> Result<(Operation, BTreeMap<&'static str, String>), NoRoute> {
        let segments: Vec<String> = path.trim_matches('/').split('/').map(str::to_owned).collect();
        find(method, &segments).map(|found| (found.route.operation, found.parameters))
    }

    fn operation(method: &str, path: &str) -> Option<Operation> {
        found(method, path).ok().map(|(operation, _)| operation)
    }

    #[test]
    fn both_forms_both_versions_and_any_case_are_one_operation() {
        for path in ["/v1.1/apps/a/appusers/u/messages", "/v1/Apps/a/AppUsers/u/Messages", "/V1.1/appUsers/u/messages"]
        {
            assert_eq!(operation("GET", path), Some(Operation::ListMessages), "{path}");
        }
        assert_eq!(operation("GET", "/v1.1/keys"), Some(Operation::ListAppKeys));
        assert_eq!(operation("GET", "/v1.1/apps"), Some(Operation::ListApps));
        assert_eq!(operation("GET", "/v1.1/serviceaccounts/s/keys"), Some(Operation::ListServiceAccountKeys));
    }

    #[test]
    fn a_user_id_may_hold_slashes_and_words_of_the_api() {
        let (operation, parameters) = found("GET", "/v1.1/apps/a/appusers/team/blue/bob/messages").unwrap();
        assert_eq!((operation, parameters["userId"].as_str()), (Operation::ListMessages, "team/blue/bob"));
        let (operation, parameters) = found("GET", "/v1.1/appusers/a/b").unwrap();
        assert_eq!((operation, parameters["userId"].as_str()), (Operation::GetAppUser, "a/b"));
        assert_eq!(parameters.get("appId"), None);
    }

    #[test]
    fn what_is_not_served_is_told_from_other_methods() {
        assert_eq!(found("GET", "/v1.1/nothing"), Err(NoRoute::NoPath));
        assert_eq!(found("GET", "/v2/apps"), Err(NoRoute::NoPath));
        assert_eq!(found("GET", "/v1.1/apps/a/notifications"), Err(NoRoute::OtherMethods(vec!["POST"])));
        assert_eq!(found("PATCH", "/v1.1/appusers/u/conversation/read"), Err(NoRoute::OtherMethods(vec!["POST"])));
    }

    #[test]
    fn every_operation_has_one_route() {
        let mut operations: Vec<_> = ROUTES.iter().map(|route| route.operation).collect();
        operations.sort();
        operations.dedup();
        assert_eq!(operations.len(), ROUTES.len());
        for route in ROUTES {
            let path = format!("/v1.1{}", route.path.replace(['{', '}'], ""));
            assert_eq!(operation(route.method, &path), Some(route.operation), "{path}");
        }
    }

    proptest! {
        #[test]
        fn no_path_makes_finding_panic(path in "\\PC{0,80}") {
            let _ = found("GET", &path);
        }
    }
}
