//! Every route of the API: which operation it is, and who may call it.
//!
//! The one table. Authorization reads it, the OpenAPI document is held against it by tests, and `tests/e2e/scopes.rs` walks
//! it with every kind of credential.
//!
//! Which of them a path means is [`super::matching`]'s to say.

/// Who may call a route (docs/REFERENCE.md, 1.2). Each includes those before it; a key reaches its own app or account only.
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
    pub access: Access,
}

macro_rules! routes {
    ($($access:ident $operation:ident = $method:ident $path:literal)+) => {
        /// What can be asked of the API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Operation { $($operation),+ }

        pub const ROUTES: &[Route] = &[$(Route {
            operation: Operation::$operation,
            method: stringify!($method),
            path: $path,
            access: Access::$access,
        }),+];
    };
}

routes! {
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
    App ReplaceWebhookSigningSecret = POST "/apps/{appId}/webhooks/{webhookId}/signingsecret"

    App ListTemplates = GET "/apps/{appId}/templates"
    App CreateTemplate = POST "/apps/{appId}/templates"
    App GetTemplate = GET "/apps/{appId}/templates/{templateId}"
    App UpdateTemplate = PUT "/apps/{appId}/templates/{templateId}"
    App DeleteTemplate = DELETE "/apps/{appId}/templates/{templateId}"

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

    Person ListMessages = GET "/apps/{appId}/appusers/{userId}/messages"
    Person PostMessage = POST "/apps/{appId}/appusers/{userId}/messages"
    Person PostImage = POST "/apps/{appId}/appusers/{userId}/images"
    App DeleteMessages = DELETE "/apps/{appId}/appusers/{userId}/messages"
    App DeleteMessage = DELETE "/apps/{appId}/appusers/{userId}/messages/{messageId}"

    Person GetConversation = GET "/apps/{appId}/appusers/{userId}/conversation"
    Person PostActivity = POST "/apps/{appId}/appusers/{userId}/conversation/activity"
    Person ResetUnreadCount = POST "/apps/{appId}/appusers/{userId}/conversation/read"
    Person PostPostback = POST "/apps/{appId}/appusers/{userId}/conversation/postback"

    App UploadAttachment = POST "/apps/{appId}/attachments"
    App RemoveAttachment = POST "/apps/{appId}/attachments/remove"

    App CreateNotification = POST "/apps/{appId}/notifications"
}
