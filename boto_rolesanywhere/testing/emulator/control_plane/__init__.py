"""The control plane: what an administrator makes, changes and lists, as boto3's client asks for it.

Shapes, limits and errors are those of botocore's model of the service (2018-05-10) and of the API
Reference. What neither says is marked as a guess.
"""
