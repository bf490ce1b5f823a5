//! Which operation is done where.

use std::sync::Arc;

use lambda_http::{Body, Request, Response};
use shared::api::{Answer, Call, Operation};

use crate::appusers::{self, devices, merge};
use crate::context::Context;
use crate::conversation::{activity, postback};
use crate::integrations::{photo, profile};
use crate::messages::{history, post};
use crate::{apps, attachments, channels, conversation, docs, images, integrations, keys, media, menu, sdks};
use crate::{service_accounts, templates, webhooks};

/// Two things are for everybody: the API's description, and files whose address somebody knows.
pub async fn handle(context: Arc<Context>, request: Request) -> Response<Body> {
    if let Some(file) = docs::find(&request) {
        return docs::answer(file, request.headers());
    }
    if let Some(key) = media::key(&request) {
        return media::hand_out(&context, &request, &key).await;
    }
    context.api.answer(&request, |call| act(&context, call)).await
}

async fn act(context: &Context, call: Call<'_>) -> Answer {
    use Operation as O;
    let call = &call;
    match call.operation {
        O::ListApps => apps::list(context, call).await,
        O::CreateApp => apps::create(context, call).await,
        O::GetApp => apps::get(context, call).await,
        O::UpdateApp => apps::update(context, call).await,
        O::DeleteApp => apps::delete(context, call).await,
        O::GetSdks => sdks::list(context, call).await,
        O::ListAppKeys | O::ListServiceAccountKeys => keys::list(context, call).await,
        O::CreateAppKey | O::CreateServiceAccountKey => keys::create(context, call).await,
        O::GetAppKey | O::GetServiceAccountKey => keys::get(context, call).await,
        O::DeleteAppKey | O::DeleteServiceAccountKey => keys::delete(context, call).await,
        O::GetAppKeyJwt | O::GetServiceAccountKeyJwt => keys::token(context, call).await,
        O::ListServiceAccounts => service_accounts::list(context, call).await,
        O::CreateServiceAccount => service_accounts::create(context, call).await,
        O::GetServiceAccount => service_accounts::get(context, call).await,
        O::UpdateServiceAccount => service_accounts::update(context, call).await,
        O::DeleteServiceAccount => service_accounts::delete(context, call).await,

        O::ListIntegrations => integrations::list(context, call).await,
        O::CreateIntegration => integrations::create(context, call).await,
        O::GetIntegration => integrations::get(context, call).await,
        O::UpdateIntegration => integrations::update(context, call).await,
        O::DeleteIntegration => integrations::delete(context, call).await,
        O::GetIntegrationProfile => profile::get(context, call).await,
        O::UpdateIntegrationProfile => profile::update(context, call).await,
        O::UploadIntegrationProfilePhoto => photo::upload(context, call).await,
        O::GetIntegrationMenu => menu::get_own(context, call).await,
        O::CreateIntegrationMenu => menu::create_own(context, call).await,
        O::UpdateIntegrationMenu => menu::update_own(context, call).await,
        O::DeleteIntegrationMenu => menu::delete_own(context, call).await,
        O::GetMenu => menu::get(context, call).await,
        O::UpdateMenu => menu::update(context, call).await,
        O::DeleteMenu => menu::delete(context, call).await,
        O::ListWebhooks => webhooks::list(context, call).await,
        O::CreateWebhook => webhooks::create(context, call).await,
        O::GetWebhook => webhooks::get(context, call).await,
        O::UpdateWebhook => webhooks::update(context, call).await,
        O::DeleteWebhook => webhooks::delete(context, call).await,
        O::ReplaceWebhookSigningSecret => webhooks::replace_signing_secret(context, call).await,
        O::ListTemplates => templates::list(context, call).await,
        O::CreateTemplate => templates::create(context, call).await,
        O::GetTemplate => templates::get(context, call).await,
        O::UpdateTemplate => templates::update(context, call).await,
        O::DeleteTemplate => templates::delete(context, call).await,

        O::CreateAppUser => appusers::create(context, call).await,
        O::MergeAppUsers => merge::merge(context, call).await,
        O::GetAppUser => appusers::get(context, call).await,
        O::UpdateAppUser => appusers::update(context, call).await,
        O::DeleteAppUser => appusers::delete(context, call).await,
        O::DeleteAppUserProfile => appusers::clear(context, call).await,
        O::ListBusinessSystems => devices::business_systems(context, call).await,
        O::GetAuthCode => devices::auth_code(context, call).await,
        O::GetLinkRequests => devices::link_requests(context, call).await,
        O::ListChannels => channels::list(context, call).await,
        O::LinkChannel => channels::link::begin(context, call).await,
        O::UnlinkChannel => channels::unlink(context, call).await,

        O::ListMessages => history::list(context, call).await,
        O::PostMessage => post::post(context, call).await,
        O::DeleteMessages => history::clear(context, call).await,
        O::DeleteMessage => history::delete(context, call).await,
        O::PostImage => images::post(context, call).await,
        O::GetConversation => conversation::get(context, call).await,
        O::PostActivity => activity::post(context, call).await,
        O::ResetUnreadCount => activity::reset(context, call).await,
        O::PostPostback => postback::post(context, call).await,
        O::UploadAttachment => attachments::upload(context, call).await,
        O::RemoveAttachment => attachments::remove(context, call).await,

        O::CreateNotification => context.intake.accept(call).await,
    }
}
