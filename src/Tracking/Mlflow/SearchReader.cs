using Zaffre.Tracking.Registry;
using Zaffre.Tracking.Search;

namespace Zaffre.Tracking.Mlflow;

/// <summary>Reads the parameters of the searches.</summary>
internal static class SearchReader
{
    private const int MostModels = 1000;
    private const int MostVersions = 200_000;

    public static SearchQuery Runs(MlflowRequest request) => Read(request, SearchSchema.Runs, SearchQuery.RunTables, (1000, MlflowLimits.SearchResults), "run_view_type");

    public static SearchQuery Experiments(MlflowRequest request) => Read(request, SearchSchema.Experiments, SearchQuery.ExperimentTables, (1000, MlflowLimits.SearchResults), "view_type");

    public static SearchQuery RegisteredModels(MlflowRequest request) => Read(request, SearchSchema.RegisteredModels, RegistrySearch.ModelTables, (100, MostModels));

    public static SearchQuery ModelVersions(MlflowRequest request) => Read(request, SearchSchema.ModelVersions, RegistrySearch.VersionTables, (MostVersions, MostVersions));

    private static SearchQuery Read(MlflowRequest request, SearchSchema schema, SearchTables tables, (int Usual, int Most) results, string? view = null)
    {
        try
        {
            return new SearchQuery
            {
                Tables = tables,
                Filter = FilterParser.Parse(schema, request.Text("filter") ?? request.Text("filter_string")),
                Order = FilterParser.ParseOrder(schema, request.Texts("order_by")),
                View = view is null ? SearchView.All : View(view, request.Text(view)),
                Top = MlflowLimits.Results(request, results.Usual, results.Most),
                Token = request.Text("page_token"),
            };
        }
        catch (FilterException exception)
        {
            throw MlflowErrors.Invalid(exception.Message);
        }
    }

    private static SearchView View(string parameter, string? value) => value switch
    {
        null or "1" or "ACTIVE_ONLY" => SearchView.Active,
        "2" or "DELETED_ONLY" => SearchView.Deleted,
        "3" or "ALL" => SearchView.All,
        _ => throw MlflowErrors.InvalidValue(parameter, $"'{value}'", "it must be ACTIVE_ONLY, DELETED_ONLY or ALL."),
    };
}
