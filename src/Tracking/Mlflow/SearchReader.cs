using Zaffre.Tracking.Registry;
using Zaffre.Tracking.Search;

namespace Zaffre.Tracking.Mlflow;

/// <summary>Reads the parameters of the searches.</summary>
internal static class SearchReader
{
    private const int MostModels = 1000;
    private const int MostTraces = 500;
    private const int MostVersions = 200_000;

    public static SearchQuery Runs(MlflowRequest request) => Read(request, SearchSchema.Runs, SearchQuery.RunTables, (1000, MlflowLimits.SearchResults), "run_view_type");

    public static SearchQuery Experiments(MlflowRequest request) => Read(request, SearchSchema.Experiments, SearchQuery.ExperimentTables, (1000, MlflowLimits.SearchResults), "view_type");

    public static SearchQuery RegisteredModels(MlflowRequest request) => Read(request, SearchSchema.RegisteredModels, RegistrySearch.ModelTables, (100, MostModels));

    public static SearchQuery ModelVersions(MlflowRequest request) => Read(request, SearchSchema.ModelVersions, RegistrySearch.VersionTables, (MostVersions, MostVersions));

    public static SearchQuery Traces(MlflowRequest request) => Read(request, SearchSchema.Traces, SearchQuery.TraceTables, (100, MostTraces));

    /// <summary>Here an order is an object: <c>field_name</c>, <c>ascending</c>, and the dataset of a metric.</summary>
    public static SearchQuery LoggedModels(MlflowRequest request)
    {
        var query = Read(request, SearchSchema.LoggedModels, SearchQuery.LoggedModelTables, (50, MlflowLimits.SearchResults), ordered: false);
        try
        {
            return query with { Order = [.. request.Objects("order_by").Select(Sort)] };
        }
        catch (FilterException exception)
        {
            throw MlflowErrors.Invalid(exception.Message);
        }
    }

    private static SortTerm Sort(MlflowRequest order)
    {
        var field = order.RequiredText("field_name");
        var dot = field.IndexOf('.', StringComparison.Ordinal);
        var spelled = dot > 0 && field.IndexOfAny(['`', '"']) < 0 ? $"{field[..dot]}.`{field[(dot + 1)..]}`" : field;
        var term = FilterParser.ParseOrder(SearchSchema.LoggedModels, [spelled])[0];
        return term with
        {
            Descending = order.Text("ascending") is not null && !order.Flag("ascending"),
            Dataset = order.Text("dataset_name") is { } name ? new MetricDataset(name, order.Text("dataset_digest")) : null,
        };
    }

    private static SearchQuery Read(MlflowRequest request, SearchSchema schema, SearchTables tables, (int Usual, int Most) results, string? view = null, bool ordered = true)
    {
        try
        {
            return new SearchQuery
            {
                Tables = tables,
                Filter = FilterParser.Parse(schema, request.Text("filter") ?? request.Text("filter_string")),
                Order = ordered ? FilterParser.ParseOrder(schema, request.Texts("order_by")) : [],
                View = view is null ? SearchView.All : View(view, request.Text(view)),
                Top = MlflowLimits.Results(request, results.Usual, results.Most),
                Token = request.Text("page_token"),
                Signature = Signature(request, tables),
            };
        }
        catch (FilterException exception)
        {
            throw MlflowErrors.Invalid(exception.Message);
        }
    }

    /// <summary>Everything that decides which rows come in which order.</summary>
    private static string Signature(MlflowRequest request, SearchTables tables) => string.Join(
        '\n',
        [
            tables.From,
            request.Text("filter") ?? request.Text("filter_string"),
            request.Text("run_view_type") ?? request.Text("view_type"),
            .. request.Raw("order_by"),
            "",
            .. request.Raw("experiment_ids"),
            .. request.Raw("locations"),
            .. request.Raw("datasets"),
        ]);

    private static SearchView View(string parameter, string? value) => value switch
    {
        null or "1" or "ACTIVE_ONLY" => SearchView.Active,
        "2" or "DELETED_ONLY" => SearchView.Deleted,
        "3" or "ALL" => SearchView.All,
        _ => throw MlflowErrors.InvalidValue(parameter, $"'{value}'", "it must be ACTIVE_ONLY, DELETED_ONLY or ALL."),
    };
}
