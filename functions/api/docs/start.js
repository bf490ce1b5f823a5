// Shows the document in Swagger UI. A file of its own, so that the page can forbid scripts within itself.
// No validator: it would send the document's address to somebody else.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
