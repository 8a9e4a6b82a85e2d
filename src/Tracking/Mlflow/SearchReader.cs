using Zaffre.Tracking.Search;

namespace Zaffre.Tracking.Mlflow;

/// <summary>Reads the parameters of the searches.</summary>
internal static class SearchReader
{
    public static SearchQuery Runs(MlflowRequest request) => Read(request, SearchSchema.Runs, SearchQuery.RunTables, "run_view_type");

    public static SearchQuery Experiments(MlflowRequest request) => Read(request, SearchSchema.Experiments, SearchQuery.ExperimentTables, "view_type");

    private static SearchQuery Read(MlflowRequest request, SearchSchema schema, SearchTables tables, string view)
    {
        try
        {
            return new SearchQuery
            {
                Tables = tables,
                Filter = FilterParser.Parse(schema, request.Text("filter") ?? request.Text("filter_string")),
                Order = FilterParser.ParseOrder(schema, request.Texts("order_by")),
                View = View(view, request.Text(view)),
                Top = MlflowLimits.Results(request, 1000, MlflowLimits.SearchResults),
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
